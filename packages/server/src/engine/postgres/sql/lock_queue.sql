-- Claims of one ordered queue follow one another, so that each sees what the one before it took.
SELECT ordered FROM posthorn.queue WHERE id = $1::int AND ordered <> 'none' FOR UPDATE
