"""One well's run: what is done with its planes, mosaics, artifacts and samples."""
