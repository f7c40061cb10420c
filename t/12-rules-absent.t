#!/bin/sh
exec "${BUILD:-build}"/t/unit/rules_absent
