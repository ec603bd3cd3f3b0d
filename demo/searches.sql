-- The three searches of demo.sql: each is a package as the example and a category whose name is the hint.
INSERT INTO searches (id, title, package, tag) VALUES
    -- The example alone finds what else belongs to Doom, the hint alone shooting of any kind, seen from above too.
    (1, 'Games like Doom', 'chocolate-doom', 'game::fps'),
    -- The example alone finds utilities of the same desktop, the hint alone readers of books too.
    (2, 'Like this CD burner, but for DVDs', 'xfburn', 'hardware::storage:dvd'),
    -- The example alone finds everything that handles a disc, the hint alone synthesizers too.
    (3, 'A desk for a disc jockey', 'mixxx', 'sound::mixer');
