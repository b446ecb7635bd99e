"""A plugin that leaves a trace when it is imported: the file that HCS_TEST_TRACE names."""

import os
from pathlib import Path

Path(os.environ["HCS_TEST_TRACE"]).write_text("imported")

hcs_api = 1
