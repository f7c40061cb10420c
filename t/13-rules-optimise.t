#!/bin/sh
exec build/t/unit/rules_optimise
