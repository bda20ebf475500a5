-- Relies on nothing: reads a setting, in milliseconds.
SELECT setting::integer AS ms FROM pg_settings WHERE name = 'idle_session_timeout'
