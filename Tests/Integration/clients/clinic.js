// node-postgres on marked columns: prints what it sees, one line a step. usage: node clinic.js TABLE DEFINITION
const { Client, types } = require('pg');
const [table, definition] = process.argv.slice(2);
types.setTypeParser(1082, (text) => text); // dates as they come
const show = (what) => console.log(JSON.stringify(what, (_, v) => (v && v.type === 'Buffer' ? Buffer.from(v.data).toString('hex') : v)));
const seen = (r) => show([r.command, r.rowCount, r.fields.map((f) => [f.name, f.dataTypeID, f.dataTypeSize]), r.rows]);
const columns = ['id', 'ssn', 'name', 'born', 'balance', 'visits', 'seen', 'active', 'token', 'photo', 'big', 'score', 'code', 'city'];
const rows = [
  [1, '111-11', 'Ada', '1815-12-10', '10.50', 3, new Date('2024-02-29T12:00:00Z'), true, '00000000-0000-0000-0000-000000000001', Buffer.from([0, 255, 92]), '1099511627776', 0.1, 'a-1', 'London'],
  [2, '222-22', "Bob 'L' \\", '1901-01-01', '-3', 7, new Date('1999-01-01T00:00:00Z'), false, '00000000-0000-0000-0000-000000000002', Buffer.alloc(0), '-5', -1.5e300, 'b-2', 'Rome'],
  [3, ...Array(13).fill(null)],
];
async function fails(work) {
  try { await work; show('no error'); } catch (e) { show(e.code); return e; }
}
(async () => {
  const client = new Client();
  await client.connect();
  await client.query(`DROP TABLE IF EXISTS ${table}; CREATE TABLE ${table} (${definition})`);
  const insert = `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map((_, i) => '$' + (i + 1)).join(', ')}) RETURNING id`;
  for (const values of rows) seen(await client.query({ name: 'insert', text: insert, values }));
  seen(await client.query(`SELECT * FROM ${table} ORDER BY id`));
  seen(await client.query({ text: `SELECT id, seen, photo FROM ${table} WHERE name = $1 AND born < $2`, values: ['Ada', '1900-01-01'] }));
  for (const name of ['Ada', 'none', "Bob 'L' \\"]) {
    seen(await client.query({ name: 'find', text: `SELECT id, balance FROM ${table} WHERE name = $1 OR ssn = $2`, values: [name, '222-22'] }));
  }
  seen(await client.query(`SELECT id FROM ${table} WHERE name = ANY($1) ORDER BY id`, [['Ada', "Bob 'L' \\"]]));
  seen(await client.query(`SELECT id FROM ${table} WHERE visits = ANY($1::int[]) ORDER BY visits`, [[3, 7]]));
  seen(await client.query(`SELECT id FROM ${table} WHERE name ILIKE $1`, ['a%']));
  seen(await client.query({ text: `SELECT name, born, visits FROM ${table} ORDER BY name`, rowMode: 'array' }));
  seen(await client.query({ text: `SELECT id FROM ${table} WHERE visits = $1 AND big = $2`, values: [3, '1099511627776'] }));
  await fails(client.query(insert, rows[0]));
  await client.query('BEGIN');
  seen(await client.query(`UPDATE ${table} SET visits = $1 WHERE ssn = $2 RETURNING visits`, [50, '111-11']));
  await fails(client.query(`INSERT INTO ${table} (id, ssn) VALUES (9, $1)`, ['111-11']));
  await fails(client.query(`SELECT 1 FROM ${table} WHERE name = $1`, ['Ada']));
  await client.query('ROLLBACK');
  seen(await client.query(`SELECT visits FROM ${table} WHERE ssn = '111-11'`));
  if (process.env.PGPORT !== process.env.CLOISTER_DIRECT_PORT) {
    const refused = await client.query(`SELECT upper(name) FROM ${table} WHERE id = $1`, [1]).catch((e) => e);
    console.error('refused', refused.code, refused.detail);
  }
  await client.end();
})().catch((e) => { console.error(e); process.exit(1); });
