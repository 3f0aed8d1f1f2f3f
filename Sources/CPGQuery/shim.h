// libpg_query (Debian's libpg-query-dev): the parser of PostgreSQL 15 outside of the server. Only SQLBinding imports it.
#pragma once
#include <pg_query.h>
#include <string.h>
