#!/bin/sh
exec "${BUILD:-build}/t/unit/sha256"
