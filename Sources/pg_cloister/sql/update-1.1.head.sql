-- Made by the Makefile from sql/: update-1.1.head.sql, then the templates once for each type that 1.1 adds.
\echo Use "ALTER EXTENSION cloister UPDATE TO '1.1'" to load this file. \quit

