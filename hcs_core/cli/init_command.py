"""`hcs init`: a commented pipeline file to start from."""

from __future__ import annotations

from pathlib import Path

import click

from hcs_core.errors import PipelineError

_TEMPLATE = """\
# A pipeline of hcs. Look at your plate with:   hcs inspect PLATE
# See what would happen with:                   hcs plan PLATE {file}
# Run it with:                                  hcs run PLATE {file}
hcs: 1
name: {name}

# Which part of the plate; leave out what is not to be limited.
# select:
#   wells: "B02:G11"            # also A01, row:A, col:1-6, 3 (the first three), ~C05 (not this one)
#   channels: [DAPI, GFP]       # names or numbers, as `hcs inspect` shows them
#   sites: 1-4
#   z: 1-10
#   time: 1

# What to do where planes are absent or cannot be read: error (the default), skip-site, skip-well or fill.
# missing: skip-site

# What is done, in this order. `hcs functions` lists all operations, `hcs functions NAME` shows one.
steps:
  # - flat_field: {{dark: 100}}         # evens out the light; its profile is estimated from the plate's own images
  - max_projection                    # the brightest of all z at each pixel
  - gaussian_blur: {{sigma: 1.0}}       # sigma in pixels
  # - white_tophat: {{radius: 25}}      # removes background that is wider than 2 radius + 1 pixels
  # - percentile_normalize: {{low: 1, high: 99, save: true}}   # save: also keep this step's own output
  # - composite                       # one image of all channels
  # Another treatment for each channel; channels that are not named pass unchanged:
  # - by: channel
  #   DAPI: [gaussian_blur: {{sigma: 1.0}}, white_tophat: {{radius: 25}}]
  #   GFP: {{gaussian_blur: {{sigma: 2.0}}}}
  # A function of your own, in my_functions.py beside this file (docs/measuring.md):
  # - my_functions:measure
  # One image of each well, in place of one for each site, at the end:
  # - stitch
  # Along time in place of z:
  # - max_projection: {{variable_components: [timepoint]}}
"""


@click.command(name="init")
@click.argument("name", default="pipeline")
def init_command(name: str) -> None:
    """Write NAME.yaml, a commented pipeline file to start from."""
    path = Path(name if name.endswith((".yaml", ".yml")) else f"{name}.yaml")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(_TEMPLATE.format(name=path.stem, file=path.name))
    except FileExistsError as error:
        raise PipelineError(f"{path} is already there: give another name, as in `hcs init second`.") from error
    except OSError as error:
        raise PipelineError(f"{path} cannot be written ({error.strerror}).") from error
    click.echo(f"Wrote {path}. Edit it, then: hcs plan PLATE {path}")
