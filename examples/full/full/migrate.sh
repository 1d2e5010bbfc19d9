#!/bin/bash
# nuages: ignore[migrate-script] two databases, and only Nuages packs this charm
# What brings the databases up to date: the charm runs this file in place of `manage.py migrate`.
set -e
python3 manage.py migrate --no-input
python3 manage.py migrate --no-input --database mysql
