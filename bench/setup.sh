#!/usr/bin/env bash
# Installs the contenders dbt-duckdb and PySpark from PyPI; PySpark wants Java 17, too.
exec "$(dirname "$0")/../test/python-packages.sh" bench "$(dirname "$0")/contenders/requirements.txt"
