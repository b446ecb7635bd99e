"""Tables of hcs_core as Apache Parquet."""
