// JDBC: vectors as texts, arrays of them, long, prepared on the server, errors.

// [docs
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
// docs]
import java.sql.DriverManager;
import java.util.Properties;
import org.postgresql.util.PSQLException;

public class Jdbc {
    // [docs
    static final String SEARCH = """
        SELECT id, path
        FROM   images
        ORDER  BY embedding <#> hinted_exemplar('images', 'embedding',
                                exemplar => (SELECT embedding FROM images WHERE id = ?),
                                hint     => ?::vector)
        LIMIT  5
        """;

    static List<String> search(Connection connection, long id, float[] hint) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(SEARCH)) {
            statement.setLong(1, id);
            statement.setString(2, Arrays.toString(hint));
            List<String> paths = new ArrayList<>();
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) paths.add(rows.getString("path"));
            }
            return paths;
        }
    }
    // docs]

    static int passed = 0, failed = 0;

    static void check(String what, boolean good) {
        if (good) passed++; else failed++;
        System.out.println((good ? "ok      " : "FAILED  ") + what);
    }

    public static void main(String[] arguments) throws Exception {
        float[] hint = {0.7f, 0.6f, 0.1f, 0.1f};
        List<String> expected = Arrays.asList(arguments[1].split(","));
        Properties properties = new Properties();
        properties.setProperty("user", System.getenv("PGUSER"));
        try (Connection connection = DriverManager.getConnection(arguments[0], properties)) {
            check("JDBC", search(connection, 7, hint).equals(expected));
            boolean same = true;
            try (PreparedStatement statement = connection.prepareStatement(SEARCH)) {
                // From the fifth execution on the driver prepares it on the server.
                for (int i = 0; i < 12; i++) {
                    statement.setLong(1, 7);
                    statement.setString(2, Arrays.toString(hint));
                    List<String> paths = new ArrayList<>();
                    ResultSet rows = statement.executeQuery();
                    while (rows.next()) paths.add(rows.getString("path"));
                    same = same && paths.equals(expected);
                }
            }
            check("JDBC, prepared on the server", same);

            double norm;
            // [docs
            // Arrays of vectors, and a long for bigint.
            try (PreparedStatement statement = connection.prepareStatement("""
                    SELECT vector_norm(hinted_exemplar('images', 'embedding', exemplars => ?::vector[], counter_exemplars => ?::vector[],
                                                       reasons => ?::vector[], sample_size => ?))
                    """)) {
                statement.setArray(1, connection.createArrayOf("text", new String[] {"[0.9,0.1,0.3,0.1]", "[0.8,0.5,0.3,0.1]"}));
                statement.setArray(2, connection.createArrayOf("text", new String[] {"[0.1,0.1,0.9,0.2]", "[0.2,0.8,0.5,0.1]"}));
                statement.setArray(3, connection.createArrayOf("text", new String[] {"[0.7,0.6,0.1,0.1]", null}));
                statement.setLong(4, 200L);
                ResultSet row = statement.executeQuery();
                row.next();
                norm = row.getDouble(1);
            }
            // docs]
            check("JDBC, arrays of vectors with a null among the reasons, and long", Math.abs(norm - 1) < 1e-5);

            String state = "";
            // [docs
            try {
                search(connection, 7, new float[] {0.5f, 0.5f});
            } catch (SQLException error) {
                state = error.getSQLState();
            }
            // docs]
            check("JDBC, an error by its SQLSTATE", state.startsWith("22"));

            // What a newcomer meets: a text without a cast.
            try (PreparedStatement statement = connection.prepareStatement(SEARCH.replace("?::vector", "?"))) {
                statement.setLong(1, 7);
                statement.setString(2, Arrays.toString(hint));
                statement.executeQuery();
            } catch (PSQLException error) {
                System.out.println("first error\tJDBC\t" + error.getServerErrorMessage().getMessage());
            }
        }
        System.out.println(passed + " passed, " + failed + " failed");
        if (failed > 0) System.exit(1);
    }
}
