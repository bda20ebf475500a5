-- Which of these ids a queue has or had. Deleted queues keep their rows. Primary key.
SELECT id FROM posthorn.queue WHERE id = ANY ($1::int[])
