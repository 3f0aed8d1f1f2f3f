import java.io.StringReader;
import java.io.StringWriter;
import java.math.BigDecimal;
import java.sql.*;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.util.HexFormat;
import java.util.Properties;
import java.util.UUID;
import org.postgresql.PGConnection;
import org.postgresql.PGStatement;
import org.postgresql.copy.CopyManager;

/** JDBC on marked columns: prints what it sees. usage: Clinic URL USER TABLE DEFINITION */
final class Clinic {
    private static final String COLUMNS = "id, ssn, name, born, balance, visits, seen, active, token, photo, big, score, code, city";

    public static void main(String[] arguments) throws Exception {
        for (String mode : new String[] {"extended", "extendedForPrepared", "simple"}) {
            Properties properties = new Properties();
            properties.setProperty("user", arguments[1]);
            properties.setProperty("password", System.getenv("PGPASSWORD"));
            properties.setProperty("preferQueryMode", mode);
            properties.setProperty("reWriteBatchedInserts", mode.equals("extended") ? "true" : "false");
            try (Connection connection = DriverManager.getConnection(arguments[0], properties)) {
                work(connection, arguments[2], arguments[3], mode);
            }
        }
    }

    private static void work(Connection c, String table, String definition, String mode) throws Exception {
        try (Statement s = c.createStatement()) {
            s.execute("DROP TABLE IF EXISTS " + table);
            s.execute("CREATE TABLE " + table + " (" + definition + ")");
        }
        try (PreparedStatement p = c.prepareStatement("INSERT INTO " + table + " (" + COLUMNS + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")) {
            for (int id = 1; id <= 20; id++) {
                p.setInt(1, id);
                p.setString(2, "ssn " + id);
                p.setString(3, id % 3 == 0 ? null : "Ada 'L' \\ " + id % 4);
                p.setObject(4, LocalDate.of(1900 + id, 1, 1));
                p.setBigDecimal(5, new BigDecimal("10.50").multiply(new BigDecimal(id)));
                p.setInt(6, id % 5);
                p.setObject(7, OffsetDateTime.parse("2024-02-29T12:00:00Z").plusDays(id));
                p.setBoolean(8, id % 2 == 0);
                p.setObject(9, new UUID(0, id));
                // The driver cannot write bytes into the text of a simple query.
                if (mode.equals("simple")) p.setNull(10, Types.BINARY);
                else p.setBytes(10, new byte[] {0, (byte) id, -1});
                p.setLong(11, 1L << 40 + id);
                p.setDouble(12, id / 10.0);
                p.setString(13, "c" + id);
                p.setNull(14, Types.VARCHAR);
                p.addBatch();
            }
            int total = 0;
            for (int count : p.executeBatch()) total += count == Statement.SUCCESS_NO_INFO ? 1 : count;
            System.out.println("batch " + total);
        }
        show(c, "SELECT * FROM " + table + " ORDER BY id");
        try (PreparedStatement p = c.prepareStatement("SELECT id, seen, photo, balance, token, big FROM " + table + " WHERE name = ? AND born < ? ORDER BY id")) {
            p.unwrap(PGStatement.class).setPrepareThreshold(3);
            // From the third use on: a server-side statement, binary results.
            for (int use = 0; use < 6; use++) {
                p.setString(1, "Ada 'L' \\ " + use % 4);
                p.setDate(2, Date.valueOf("1915-01-01"));
                rows(p.executeQuery());
            }
            ParameterMetaData parameters = p.getParameterMetaData();
            System.out.println(parameters.getParameterTypeName(1) + " " + parameters.getParameterTypeName(2));
        }
        try (PreparedStatement p = c.prepareStatement("SELECT id FROM " + table + " WHERE ssn = ANY(?) ORDER BY id")) {
            p.setArray(1, c.createArrayOf("text", new String[] {"ssn 3", "ssn 4"}));
            rows(p.executeQuery());
        }
        try (PreparedStatement p = c.prepareStatement("SELECT id FROM " + table + " WHERE visits IN (?, ?) AND name LIKE ? ORDER BY born DESC")) {
            p.setInt(1, 1);
            p.setInt(2, 3);
            p.setString(3, "Ada%1");
            rows(p.executeQuery());
        }
        c.setAutoCommit(false);
        try (PreparedStatement p = c.prepareStatement("SELECT id, name FROM " + table + " WHERE visits < ? ORDER BY visits, id")) {
            p.setFetchSize(3);
            p.setInt(1, 4);
            rows(p.executeQuery());
        }
        Savepoint savepoint = c.setSavepoint();
        try (Statement s = c.createStatement()) {
            System.out.println(s.executeUpdate("UPDATE " + table + " SET visits = 100 WHERE name IS NULL"));
            s.executeUpdate("INSERT INTO " + table + " (id, ssn) VALUES (99, 'ssn 1')");
        } catch (SQLException error) {
            System.out.println(error.getSQLState());
        }
        c.rollback(savepoint);
        show(c, "SELECT count(*), max(visits), min(born) FROM " + table);
        c.commit();
        c.setAutoCommit(true);
        try (PreparedStatement p = c.prepareStatement("INSERT INTO " + table + " (id, name) VALUES (?, ?)", Statement.RETURN_GENERATED_KEYS)) {
            p.setInt(1, 50);
            p.setString(2, "Generated");
            p.executeUpdate();
            rows(p.getGeneratedKeys());
        }
        CopyManager copy = c.unwrap(PGConnection.class).getCopyAPI();
        StringWriter out = new StringWriter();
        System.out.println(copy.copyOut("COPY (SELECT " + COLUMNS + " FROM " + table + " ORDER BY id) TO STDOUT (FORMAT csv)", out));
        System.out.println(out);
        try (Statement s = c.createStatement()) {
            s.executeUpdate("DELETE FROM " + table);
        }
        System.out.println(copy.copyIn("COPY " + table + " (" + COLUMNS + ") FROM STDIN (FORMAT csv)", new StringReader(out.toString())));
        show(c, "SELECT * FROM " + table + " ORDER BY id");
        try (ResultSet columns = c.getMetaData().getColumns(null, c.getSchema(), table, null)) {
            while (columns.next()) {
                System.out.println(columns.getString("COLUMN_NAME") + " " + columns.getInt("DATA_TYPE") + " " + columns.getString("TYPE_NAME") + " "
                    + columns.getInt("COLUMN_SIZE") + " " + columns.getInt("DECIMAL_DIGITS") + " " + columns.getString("IS_NULLABLE"));
            }
        }
        try (ResultSet keys = c.getMetaData().getIndexInfo(null, c.getSchema(), table, true, false)) {
            while (keys.next()) System.out.println(keys.getString("INDEX_NAME") + " " + keys.getString("COLUMN_NAME"));
        }
        if (System.getenv("REFUSE") != null) {
            try (PreparedStatement p = c.prepareStatement("SELECT upper(name) FROM " + table + " WHERE id = ?")) {
                p.setInt(1, 1);
                p.executeQuery();
            } catch (SQLException error) {
                System.err.println("refused " + error.getSQLState());
            }
        }
    }

    private static void show(Connection c, String query) throws SQLException {
        try (Statement s = c.createStatement()) {
            rows(s.executeQuery(query));
        }
    }

    private static void rows(ResultSet result) throws SQLException {
        ResultSetMetaData data = result.getMetaData();
        StringBuilder line = new StringBuilder();
        for (int i = 1; i <= data.getColumnCount(); i++) {
            line.append(data.getColumnLabel(i)).append(' ').append(data.getColumnTypeName(i)).append(' ').append(data.getColumnClassName(i)).append("; ");
        }
        System.out.println(line);
        while (result.next()) {
            line = new StringBuilder();
            for (int i = 1; i <= data.getColumnCount(); i++) {
                Object value = result.getObject(i);
                line.append(value instanceof byte[] bytes ? HexFormat.of().formatHex(bytes) : String.valueOf(value)).append('|');
            }
            System.out.println(line);
        }
    }
}
