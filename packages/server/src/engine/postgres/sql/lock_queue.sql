-- Claims of one ordered queue follow one another, so that each sees what the one before it took. A node that freezes in
-- between holds the others up for 3 s. What follows in this transaction gets the hot connections' plans, without being
-- one of them: claims that wait for each other must not keep deliveries waiting. Primary key of `queue`.
SELECT ordered, set_config('idle_in_transaction_session_timeout', '3000', true),
  set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true),
  set_config('enable_bitmapscan', 'off', true), set_config('enable_hashjoin', 'off', true),
  set_config('enable_mergejoin', 'off', true), set_config('jit', 'off', true)
FROM posthorn.queue WHERE id = $1::int FOR NO KEY UPDATE
