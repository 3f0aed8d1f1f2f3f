CREATE INDEX people_name_last ON people (name_last);
CREATE INDEX people_birth_date ON people (birth_date);
CREATE INDEX people_weight ON people (weight);
CREATE INDEX salaries_player_id ON salaries (player_id);
CREATE INDEX salaries_salary ON salaries (salary);
CREATE INDEX batting_player_id ON batting (player_id);
CREATE INDEX batting_home_runs ON batting (home_runs);
ANALYZE people, salaries, batting;
