#!/usr/bin/env bash
# Installs the contenders from PyPI: the duckdb command line, dbt-duckdb and PySpark. PySpark wants Java 17, too.
exec "$(dirname "$0")/../test/python-packages.sh" bench "$(dirname "$0")/contenders/requirements.txt"
