// Go's database/sql with lib/pq on marked columns: prints what it sees. usage: clinic TABLE DEFINITION
package main

import (
	"database/sql"
	"fmt"
	"os"
	"time"

	"github.com/lib/pq"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func code(err error) string {
	if failure, ok := err.(*pq.Error); ok {
		return string(failure.Code)
	}
	return fmt.Sprint(err)
}

func show(rows *sql.Rows, err error) {
	check(err)
	defer rows.Close()
	types, err := rows.ColumnTypes()
	check(err)
	for _, t := range types {
		fmt.Print(t.Name(), " ", t.DatabaseTypeName(), " ", t.ScanType(), "; ")
	}
	for rows.Next() {
		values := make([]interface{}, len(types))
		places := make([]interface{}, len(types))
		for i := range values {
			places[i] = &values[i]
		}
		check(rows.Scan(places...))
		for i, value := range values {
			if at, ok := value.(time.Time); ok {
				values[i] = at.UTC().Format(time.RFC3339Nano)
			}
		}
		fmt.Printf("%q ", values)
	}
	check(rows.Err())
	fmt.Println()
}

func main() {
	table, definition := os.Args[1], os.Args[2]
	columns := []string{"id", "ssn", "name", "born", "balance", "visits", "seen", "active", "token", "photo", "big", "score", "code", "city"}
	dsn := "sslmode=disable"
	if path := os.Getenv("SEARCH_PATH"); path != "" {
		dsn += " search_path=" + path
	}
	for _, mode := range []string{"", " binary_parameters=yes"} {
		db, err := sql.Open("postgres", dsn+mode)
		check(err)
		db.SetMaxOpenConns(2)
		_, err = db.Exec("DROP TABLE IF EXISTS " + table + "; CREATE TABLE " + table + " (" + definition + ")")
		check(err)
		insert := "INSERT INTO " + table + " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
		statement, err := db.Prepare(insert)
		check(err)
		seen := time.Date(2024, 2, 29, 12, 0, 0, 5000, time.UTC)
		ada := []interface{}{1, "111-11", "Ada", "1815-12-10", "10.50", 3, seen, true, "00000000-0000-0000-0000-000000000001", []byte{0, 255, 92}, int64(1) << 40, 0.1, "a-1", "London"}
		_, err = statement.Exec(ada...)
		check(err)
		_, err = statement.Exec(3, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil)
		check(err)
		_, err = statement.Exec(ada...)
		fmt.Println(code(err))
		tx, err := db.Begin()
		check(err)
		copying, err := tx.Prepare(pq.CopyIn(table, columns...))
		check(err)
		_, err = copying.Exec(2, "222-22", "Bob 'L' \\", "1901-01-01", "-3", 7, seen, false, nil, []byte{}, -5, -1.5e300, "b-2", "Rome")
		check(err)
		_, err = copying.Exec()
		check(err)
		check(copying.Close())
		check(tx.Commit())
		show(db.Query("SELECT * FROM " + table + " ORDER BY id"))
		show(db.Query("SELECT id, seen FROM "+table+" WHERE name = $1 AND born < $2", "Ada", time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)))
		show(db.Query("SELECT id FROM "+table+" WHERE name = ANY($1) ORDER BY name", pq.Array([]string{"Ada", "Bob 'L' \\"})))
		show(db.Query("SELECT id FROM "+table+" WHERE visits = ANY($1) ORDER BY visits", pq.Array([]int64{3, 7})))
		find, err := db.Prepare("SELECT id, photo FROM " + table + " WHERE ssn = $1 OR visits > $2 ORDER BY visits DESC")
		check(err)
		for _, ssn := range []string{"111-11", "222-22", "none"} {
			show(find.Query(ssn, 100))
		}
		tx, err = db.Begin()
		check(err)
		_, err = tx.Exec("UPDATE "+table+" SET visits = $1 WHERE ssn = $2", 50, "111-11")
		check(err)
		_, err = tx.Exec("INSERT INTO "+table+" (id, ssn) VALUES (9, $1)", "111-11")
		fmt.Println(code(err))
		check(tx.Rollback())
		show(db.Query("SELECT visits, balance FROM " + table + " WHERE ssn = '111-11'"))
		if os.Getenv("PGPORT") != os.Getenv("CLOISTER_DIRECT_PORT") {
			_, err = db.Query("SELECT upper(name) FROM "+table+" WHERE id = $1", 1)
			fmt.Fprintln(os.Stderr, "refused", code(err))
		}
		check(db.Close())
	}
}
