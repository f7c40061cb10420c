#!/bin/sh
exec "${BUILD:-build}/t/unit/host_units"
