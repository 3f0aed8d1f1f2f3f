import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** Runs each statement of a file (one per line) by JDBC and prints the rows, fields joined by `|`, a line `--` after each. */
final class Tour {
    public static void main(String[] arguments) throws Exception {
        try (Connection connection = DriverManager.getConnection(arguments[0], arguments[1], System.getenv("PGPASSWORD"))) {
            for (String statement : Files.readAllLines(Path.of(arguments[2]))) {
                String[] parts = statement.split("\t");
                try (PreparedStatement prepared = connection.prepareStatement(parts[0])) {
                    // From the fifth use on the driver keeps a server-side statement and asks for binary results.
                    for (int use = 0; use < 7; use++) {
                        for (int index = 1; index < parts.length; index++) {
                            prepared.setDate(index, java.sql.Date.valueOf(parts[index]));
                        }
                        List<String> rows = rows(prepared);
                        if (use == 0 || use == 6) {
                            rows.forEach(System.out::println);
                            System.out.println("--");
                        }
                    }
                }
            }
        }
    }

    private static List<String> rows(PreparedStatement prepared) throws SQLException {
        List<String> rows = new ArrayList<>();
        try (ResultSet result = prepared.executeQuery()) {
            int width = result.getMetaData().getColumnCount();
            while (result.next()) {
                List<String> fields = new ArrayList<>();
                for (int column = 1; column <= width; column++) {
                    Object value = result.getObject(column);
                    fields.add(value == null ? "" : value.toString());
                }
                rows.add(String.join("|", fields));
            }
        }
        return rows;
    }
}
