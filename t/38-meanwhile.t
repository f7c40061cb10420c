#!/bin/sh
# The program on the model of a node, and what others do meanwhile (t/unit/meanwhile.c).
exec t/unit/beside meanwhile
