// Go's pgx on marked columns: prints what it sees. usage: clinic_pgx TABLE DEFINITION
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgconn"
	"github.com/jackc/pgconn/stmtcache"
	"github.com/jackc/pgtype"
	"github.com/jackc/pgx/v4"
	"github.com/jackc/pgx/v4/pgxpool"
)

var everywhere = context.Background()

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func code(err error) string {
	var failure *pgconn.PgError
	if errors.As(err, &failure) {
		return failure.Code
	}
	return fmt.Sprint(err)
}

// Numbers and times are pgtype's own; they print as their texts.
func text(value interface{}) interface{} {
	switch v := value.(type) {
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	case pgtype.TextEncoder:
		written, err := v.EncodeText(pgtype.NewConnInfo(), nil)
		check(err)
		return string(written)
	}
	return value
}

func show(rows pgx.Rows, err error) {
	check(err)
	defer rows.Close()
	for _, field := range rows.FieldDescriptions() {
		fmt.Print(string(field.Name), " ", field.DataTypeOID, " ", field.TypeModifier, "; ")
	}
	for rows.Next() {
		values, err := rows.Values()
		check(err)
		for _, value := range values {
			fmt.Printf("%q ", fmt.Sprint(text(value)))
		}
	}
	check(rows.Err())
	fmt.Println(rows.CommandTag())
}

func number(digits string) *pgtype.Numeric {
	var value pgtype.Numeric
	check(value.Set(digits))
	return &value
}

func work(db *pgxpool.Pool, table, definition string) {
	columns := []string{"id", "ssn", "name", "born", "balance", "visits", "seen", "active", "token", "photo", "big", "score", "code", "city"}
	_, err := db.Exec(everywhere, "DROP TABLE IF EXISTS "+table)
	check(err)
	_, err = db.Exec(everywhere, "CREATE TABLE "+table+" ("+definition+")")
	check(err)
	insert := "INSERT INTO " + table + " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
	seen := time.Date(2024, 2, 29, 12, 0, 0, 5000, time.UTC)
	born := time.Date(1815, 12, 10, 0, 0, 0, 0, time.UTC)
	ada := []interface{}{1, "111-11", "Ada", born, number("10.50"), 3, seen, true, "00000000-0000-0000-0000-000000000001", []byte{0, 255, 92}, int64(1) << 40, 0.1, "a-1", "London"}
	_, err = db.Exec(everywhere, insert, ada...)
	check(err)
	_, err = db.Exec(everywhere, insert, 3, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil)
	check(err)
	_, err = db.Exec(everywhere, insert, ada...)
	fmt.Println(code(err))
	_, err = db.Exec(everywhere, "INSERT INTO "+table+" (id, code) VALUES ($1, $2)", 8, "more than ten")
	fmt.Println(code(err))

	// COPY in binary.
	copied, err := db.CopyFrom(everywhere, pgx.Identifier{table}, columns, pgx.CopyFromRows([][]interface{}{
		{2, "222-22", "Bob 'L' \\", time.Date(1901, 1, 1, 0, 0, 0, 0, time.UTC), number("-3"), int32(7), seen, false, nil, []byte{}, int64(-5), -1.5e300, "b-2", "Rome"},
		{4, "444-44", "Émile\t\n", nil, number("99999999999.001"), int32(3), nil, nil, nil, nil, int64(0), 2.5, "d-4", nil},
	}))
	fmt.Println(copied, err)

	show(db.Query(everywhere, "SELECT * FROM "+table+" ORDER BY id"))
	show(db.Query(everywhere, "SELECT id, seen FROM "+table+" WHERE name = $1 AND born < $2", "Ada", time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)))
	show(db.Query(everywhere, "SELECT id FROM "+table+" WHERE name = ANY($1) ORDER BY name", []string{"Ada", "Bob 'L' \\"}))
	show(db.Query(everywhere, "SELECT id FROM "+table+" WHERE visits = ANY($1) ORDER BY visits, id", []int32{3, 7}))
	show(db.Query(everywhere, "SELECT id FROM "+table+" WHERE name LIKE $1 || '%' ORDER BY id", "A"))
	show(db.Query(everywhere, "SELECT id, balance FROM "+table+" WHERE balance > $1 ORDER BY balance", number("0.5")))
	show(db.Query(everywhere, "SELECT visits, count(*), min(born), max(name) FROM "+table+" GROUP BY visits ORDER BY visits"))
	for _, ssn := range []string{"111-11", "222-22", "none"} {
		show(db.Query(everywhere, "SELECT id, photo FROM "+table+" WHERE ssn = $1 OR visits > $2 ORDER BY visits DESC", ssn, 100))
	}
	var name *string
	var active *bool
	check(db.QueryRow(everywhere, "SELECT name, active FROM "+table+" WHERE id = $1", 3).Scan(&name, &active))
	fmt.Println(name == nil, active == nil)
	check(db.QueryRow(everywhere, "SELECT name, active FROM "+table+" WHERE big = $1", int64(1)<<40).Scan(&name, &active))
	fmt.Println(*name, *active)
	fmt.Println(db.QueryRow(everywhere, "SELECT id FROM "+table+" WHERE ssn = $1", "nobody").Scan(new(int)))

	// A batch: one flight, one transaction.
	batch := &pgx.Batch{}
	batch.Queue("UPDATE "+table+" SET visits = $1 WHERE ssn = $2", 50, "111-11")
	batch.Queue("SELECT id, visits FROM "+table+" WHERE visits >= $1 ORDER BY visits, id", 7)
	batch.Queue("INSERT INTO "+table+" (id, ssn) VALUES ($1, $2)", 9, "222-22")
	results := db.SendBatch(everywhere, batch)
	tag, err := results.Exec()
	check(err)
	fmt.Println(tag)
	show(results.Query())
	_, err = results.Exec()
	fmt.Println(code(err), code(results.Close()))

	tx, err := db.Begin(everywhere)
	check(err)
	_, err = tx.Exec(everywhere, "UPDATE "+table+" SET visits = $1 WHERE ssn = $2", 60, "111-11")
	check(err)
	inner, err := tx.Begin(everywhere) // a savepoint
	check(err)
	_, err = inner.Exec(everywhere, "INSERT INTO "+table+" (id, ssn) VALUES (9, $1)", "111-11")
	fmt.Println(code(err))
	check(inner.Rollback(everywhere))
	show(tx.Query(everywhere, "SELECT visits, balance FROM "+table+" WHERE ssn = '111-11'"))
	check(tx.Rollback(everywhere))
	show(db.Query(everywhere, "SELECT visits FROM "+table+" WHERE ssn = $1", "111-11"))
	if os.Getenv("REFUSE") != "" {
		_, err = db.Exec(everywhere, "SELECT upper(name) FROM "+table+" WHERE id = $1", 1)
		fmt.Fprintln(os.Stderr, "refused", code(err))
	}
}

func main() {
	modes := map[string]func(*pgx.ConnConfig){
		"prepared": func(*pgx.ConnConfig) {},
		"described": func(c *pgx.ConnConfig) {
			c.BuildStatementCache = func(conn *pgconn.PgConn) stmtcache.Cache { return stmtcache.New(conn, stmtcache.ModeDescribe, 100) }
		},
		"unnamed": func(c *pgx.ConnConfig) { c.BuildStatementCache = nil },
		"simple":  func(c *pgx.ConnConfig) { c.PreferSimpleProtocol = true },
	}
	for _, name := range []string{"prepared", "described", "unnamed", "simple"} {
		config, err := pgxpool.ParseConfig("sslmode=disable pool_max_conns=2")
		check(err)
		if path := os.Getenv("SEARCH_PATH"); path != "" {
			config.ConnConfig.RuntimeParams["search_path"] = path
		}
		modes[name](config.ConnConfig)
		db, err := pgxpool.ConnectConfig(everywhere, config)
		check(err)
		fmt.Println(name)
		work(db, os.Args[1], os.Args[2])
		db.Close()
	}
}
