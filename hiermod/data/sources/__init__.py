"""What opens a table: data frames of any library, paths, CSV and Parquet files, shipped examples."""
