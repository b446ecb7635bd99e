"""Rules for storage backends: what is declared, finished, listed and discarded, and what outlives the process."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from hcs_core.errors import StorageError
from hcs_core.storage.backend import ImageStore
from hcs_core.testing.contracts.storage_layouts import (
    FIRST,
    StorageBackendRules,
    a_plane,
    differing,
    finish,
    finished,
    is_there,
    put,
    refused,
    some_planes,
)


class WellRules(StorageBackendRules):
    """What a store's wells do."""

    def test_opening_makes_nothing(self, folder: Path) -> None:
        """A plan is looked at before anything is made."""
        store = self.opened(folder)
        listed = store.finished_wells()
        assert listed == (), f"a store that is not there lists no well: it lists {listed}."
        found = sorted(path.name for path in folder.iterdir())
        assert not found, f"opening a store makes nothing: it made {', '.join(found)}; make it in declare()."

    def test_a_store_keeps_to_its_own_folder(self, folder: Path, store: ImageStore) -> None:
        """Everything lies in `folder / layout.name`: the output folder has other things in it."""
        finished(store, "A01")
        store.discard_well("B02")
        strange = sorted({path.name for path in folder.iterdir()} - {self.layout().name})
        assert not strange, f"a store writes into {self.layout().name} alone: it also made {', '.join(strange)}."

    def test_stores_of_one_folder_are_apart(self, folder: Path, store: ImageStore) -> None:
        """A step that is kept has a store beside the others."""
        finished(store, "A01")
        other = self.opened(folder, name=f"other{self.backend.suffix}")
        other.declare({"B02": (1, 2)})
        assert not is_there(other, "A01"), "two stores of one folder are apart: the planes of one are in the other."
        assert other.finished_wells() == (), "two stores of one folder are apart: the wells of one are in the other."

    def test_what_is_declared_is_not_listed(self, store: ImageStore) -> None:
        """A reader sees a well once it is whole."""
        listed = store.finished_wells()
        assert listed == (), f"a well is listed by finish_well alone: {listed} are listed when declared."

    def test_what_is_written_is_not_listed(self, store: ImageStore) -> None:
        """A worker that is done does not list its well: the driver does."""
        put(store, "A01", {FIRST: a_plane()})
        listed = store.finished_wells()
        assert listed == (), f"a well is listed by finish_well alone: {listed} are listed when written."

    def test_a_finished_well_is_listed_and_no_other(self, store: ImageStore) -> None:
        """One well after the other."""
        finished(store, "B02")
        listed = store.finished_wells()
        assert listed == ("B02",), f"finish_well lists its well and no other: B02 was finished, {listed} are listed."

    def test_a_finished_wells_planes_are_there(self, store: ImageStore) -> None:
        """Finishing changes no pixel."""
        finished(store, "A01")
        wrong = differing(store, "A01", some_planes())
        assert not wrong, f"a finished well's planes are as they were written: {'; '.join(wrong[:3])}."

    def test_wells_are_listed_in_the_order_of_the_plate(self, folder: Path) -> None:
        """Whatever the order in which they were finished."""
        store = self.opened(folder, plate_format=(32, 48))
        wells = ("A02", "A10", "B01", "AA01")
        store.declare(dict.fromkeys(wells, (1, 2)))
        for well in ("B01", "AA01", "A10", "A02"):
            finish(store, well)
        listed = store.finished_wells()
        assert listed == wells, f"wells are listed in their order on the plate, row by row: {listed}, not {wells}."

    def test_a_well_goes_by_any_spelling(self, folder: Path) -> None:
        """`b2` is B02; it is listed as B02."""
        store = self.opened(folder)
        store.declare({"b2": (1, 2)})
        try:
            finish(store, "B2", put(store, "B02", {FIRST: a_plane()}))
            listed: object = store.finished_wells()
        except StorageError as error:
            listed = f"refused ({error})"
        assert listed == ("B02",), (
            f"wells go by hcs_core.canonical_well: b2, declared, written as B02 and finished as B2, is {listed}."
        )

    def test_a_well_that_was_not_declared_cannot_be_opened(self, store: ImageStore) -> None:
        """Arrays exist before any worker starts."""
        refused("opening a well that was not declared", "open what is declared", store.open_well, "C03")

    def test_a_well_that_was_not_declared_cannot_be_finished(self, store: ImageStore) -> None:
        """Nothing is listed that is not there."""
        before = store.finished_wells()
        refused("finishing a well that was not declared", "list what is there", finish, store, "C03")
        assert store.finished_wells() == before, "a well that cannot be finished is not listed: C03 is."

    def test_a_site_that_was_not_declared_cannot_be_finished(self, store: ImageStore) -> None:
        """Nothing is listed that is not there."""
        advice = "compare its sites with the declared ones"
        before = store.finished_wells()
        refused("finishing a site that was not declared", advice, finish, store, "A01", None, (1, 2, 3))
        assert store.finished_wells() == before, "a well that cannot be finished is not listed: A01 is."

    def test_finishing_again_changes_nothing(self, store: ImageStore) -> None:
        """A driver that was killed in between does it once more."""
        truth = finished(store, "A01")
        try:
            finish(store, "A01")
        except StorageError as error:
            pytest.fail(f"a well can be finished again, as after a kill: it raises {error}", pytrace=False)
        listed = store.finished_wells()
        assert listed == ("A01",), f"a well that is finished again is listed once: {listed}."
        wrong = differing(store, "A01", truth)
        assert not wrong, f"finishing again leaves the planes as they were: {'; '.join(wrong[:3])}."

    def test_a_discarded_well_is_gone(self, store: ImageStore) -> None:
        """A finished one too: from the list, and its planes."""
        for well in ("A01", "B02"):
            put(store, well, {FIRST: a_plane()})
        finish(store, "B02")
        for well in ("A01", "B02"):
            store.discard_well(well)
            assert not is_there(store, well), f"a discarded well's planes are gone: {well} can still be read."
        listed = store.finished_wells()
        assert listed == (), f"a discarded well is listed no more: {listed}."

    def test_discarding_leaves_the_others(self, store: ImageStore) -> None:
        """One well fails, the others are whole."""
        truth = finished(store, "A01")
        store.discard_well("B02")
        wrong = differing(store, "A01", truth) if "A01" in store.finished_wells() else ["it is not listed"]
        assert not wrong, f"discarding a well leaves the others as they were: of A01 {'; '.join(wrong[:3])}."

    def test_discarding_what_is_not_there_is_fine(self, folder: Path, store: ImageStore) -> None:
        """After a kill nobody knows what there is."""
        try:
            for well in ("C03", "A01", "A01"):
                store.discard_well(well)
            self.opened(folder, name=f"none{self.backend.suffix}").discard_well("A01")
        # Whatever it raises is what this is about.
        except Exception as error:  # noqa: BLE001
            pytest.fail(f"discarding what is not there is fine: it raises {error!r}.", pytrace=False)

    def test_an_unfinished_well_starts_afresh(self, store: ImageStore) -> None:
        """What a worker left that died in mid-well is not mixed with what the next one writes."""
        put(store, "A01", {FIRST: a_plane()})
        store.declare({"A01": (1, 2)})
        assert not is_there(store, "A01"), (
            "a well that was declared before and not finished starts afresh: its old planes can still be read."
        )

    def test_a_finished_well_is_left_alone(self, store: ImageStore) -> None:
        """A rerun declares only what is not there, and must not destroy what is."""
        truth = finished(store, "A01")
        store.declare({"A01": (1, 2), "B02": (1, 2)})
        wrong = differing(store, "A01", truth) if "A01" in store.finished_wells() else ["it is not listed"]
        assert not wrong, f"declaring leaves finished wells as they were: of A01 {'; '.join(wrong[:3])}."


class DurableRules(StorageBackendRules):
    """What outlives the process: these rules are for backends that are declared with `durable=True`."""

    def test_what_was_finished_is_listed_by_the_next_run(self, folder: Path, store: ImageStore) -> None:
        """A rerun makes only what is not there."""
        self.outlives()
        finished(store, "A01")
        listed = self.opened(folder).finished_wells()
        assert listed == ("A01",), f"a durable store lists its wells when it is opened again: {listed}, not A01."

    def test_what_was_finished_is_read_by_the_next_run(self, folder: Path, store: ImageStore) -> None:
        """Its planes are the same."""
        self.outlives()
        truth = finished(store, "A01")
        try:
            wrong = differing(self.opened(folder), "A01", truth)
        except StorageError as error:
            wrong = [str(error)]
        assert not wrong, f"a durable store has its planes when it is opened again: {'; '.join(wrong[:3])}."

    def test_what_a_killed_run_left_is_not_listed(self, folder: Path, store: ImageStore) -> None:
        """Half a well never looks whole: nothing was closed, nothing was finished."""
        self.outlives()
        store.open_well("A01").write(FIRST, a_plane())
        listed = self.opened(folder).finished_wells()
        assert listed == (), f"what a killed run left of a well is not listed: {listed}."

    def test_what_a_killed_run_left_of_other_wells_is_removed(self, folder: Path, store: ImageStore) -> None:
        """Nobody would ever come back for it."""
        self.outlives()
        put(store, "A01", {FIRST: a_plane()})
        again = self.opened(folder)
        again.declare({"B02": (1, 2)})
        assert not is_there(again, "A01"), (
            "declaring removes what an earlier run left of other wells and did not finish: A01 can still be read."
        )

    def test_declaring_leaves_the_finished_wells_of_an_earlier_run(self, folder: Path, store: ImageStore) -> None:
        """Also those that are not declared again."""
        self.outlives()
        truth = finished(store, "A01")
        again = self.opened(folder)
        before = again.finished_wells()
        again.declare({"C03": (1, 2)})
        lost = set(before) - set(again.finished_wells())
        wrong = ["it is not listed"] if lost else differing(again, "A01", truth)
        assert not wrong, f"declaring leaves the finished wells of an earlier run: of A01 {'; '.join(wrong[:3])}."

    def test_a_store_travels_to_a_worker(self, store: ImageStore) -> None:
        """Workers are other processes: a store is pickled, and its copy writes into the same place."""
        self.outlives()
        try:
            copy = pickle.loads(pickle.dumps(store))  # noqa: S301 - written in this line
        # Whatever pickle says is what this is about.
        except Exception as error:  # noqa: BLE001
            pytest.fail(
                f"a durable store travels to workers by pickle: {error!r}; keep no open files.", pytrace=False
            )
        put(copy, "A01", {FIRST: a_plane()})
        wrong = differing(store, "A01", {FIRST: a_plane()})
        assert not wrong, f"what a pickled copy of the store writes is in the store: {'; '.join(wrong)}."
