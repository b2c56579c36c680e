"""Tests of ganprior."""
