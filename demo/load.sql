-- Run in the folder of the CSV files (demo/prepare.py writes them).
\copy people FROM 'people.csv' WITH (FORMAT csv, HEADER)
\copy salaries FROM 'salaries.csv' WITH (FORMAT csv, HEADER)
\copy batting FROM 'batting.csv' WITH (FORMAT csv, HEADER)
