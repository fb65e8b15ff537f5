#!/usr/bin/python3
"""Runs the pump.

It stops when it is dry.
"""
import time

LIMIT = 3


def run(speed):
    total = 0

    while total < LIMIT:
        total += speed
    return total


class Pump:
    pass
