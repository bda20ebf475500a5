-- Claims of one ordered queue follow one another, so that each sees what the one before it took. A node that freezes in
-- between holds the others up for 3 s. What follows in this transaction gets the hot connections' plans ($2, an object of
-- settings), without being one of them: claims that wait for each other must not keep deliveries waiting. Primary key of
-- `queue`.
SELECT ordered, set_config('idle_in_transaction_session_timeout', '3000', true),
  (SELECT count(set_config(key, value, true)) FROM json_each_text($2::json))
FROM posthorn.queue WHERE id = $1::int FOR NO KEY UPDATE
