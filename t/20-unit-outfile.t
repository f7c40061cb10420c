#!/bin/sh
exec "${BUILD:-build}/t/unit/outfile"
