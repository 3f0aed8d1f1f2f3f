-- Plain SQL: nothing here says that columns are encrypted. The twin of Tests/Integration runs the same file.
CREATE TABLE people (
    id            int4 PRIMARY KEY,
    player_id     text NOT NULL UNIQUE,
    name_first    text,
    name_last     text NOT NULL,
    name_given    text,
    birth_date    date,
    birth_country text,
    death_date    date,
    weight        int4,
    height        int4,
    bats          text,
    debut         date
);
CREATE TABLE salaries (
    id        int4 PRIMARY KEY,
    year_id   int4 NOT NULL,
    team_id   text NOT NULL,
    player_id text NOT NULL,
    salary    int8 NOT NULL
);
CREATE TABLE batting (
    id        int4 PRIMARY KEY,
    player_id text NOT NULL,
    year_id   int4 NOT NULL,
    stint     int4 NOT NULL,
    team_id   text NOT NULL,
    games     int4 NOT NULL,
    at_bats   int4 NOT NULL,
    hits      int4 NOT NULL,
    home_runs int4 NOT NULL
);
