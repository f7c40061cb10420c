#!/bin/sh
# The program on the model of a node (t/unit/node.c).
exec t/unit/beside node
