/** What pg-hooks 0.4.3 was seen to do, a statement each, in our words. */

export interface Behaviour {
  readonly id: string
  /** `quirk`: odd, and clients may rely on it. `bug`: not to be copied. */
  readonly kind: 'behaviour' | 'quirk' | 'bug'
  readonly text: string
  /** Where we do otherwise on purpose: what we do. */
  readonly ours?: string
}

const seen = (id: string, text: string, ours?: string): Behaviour => ({
  id,
  kind: 'behaviour',
  text,
  ...(ours && { ours }),
})
const quirk = (id: string, text: string, ours?: string): Behaviour => ({ ...seen(id, text, ours), kind: 'quirk' })
const bug = (id: string, text: string): Behaviour => ({ id, kind: 'bug', text })

const http = [
  seen('http.welcome', 'GET / is 200 with a JSON welcome.'),
  seen('http.documentation', '/documentation leads to a page; the OpenAPI document comes as JSON and as YAML.'),
  seen('http.graphiql', '/graphiql is a page to try GraphQL on.'),
  seen('http.open', 'The welcome, the documentation and GraphiQL need no secret.'),
  seen('http.no-cors', 'OPTIONS is 404: nothing is said to other origins.'),
  seen('http.status-routes', '/status, /health and /metrics are 404.', '/health and /metrics are there.'),
  seen('http.head', 'HEAD works on lists.'),
  seen('http.slash', 'Collections answer with and without the slash at the end.'),
  seen('http.no-patch', 'There is no PATCH.'),
  seen('http.error-shape', 'Errors are JSON: statusCode, code, error (the reason phrase), message.'),
  seen(
    'http.not-found',
    'An unknown route and an unknown row are 404 alike: message, error, statusCode.',
    'A code says which of both it is; the row is named instead of the route.',
  ),
  seen('http.validation', 'What fails its schema is 400 FST_ERR_VALIDATION, and the message names the place.'),
  seen('http.coercion', 'Values are coerced ("3" is 3, a number as body is text); unknown properties are dropped.'),
  seen('http.invalid-json', 'A body that is no JSON is 400 FST_ERR_CTP_INVALID_JSON_BODY.'),
  seen('http.too-large', 'A body over 1 MiB is 413 FST_ERR_CTP_BODY_TOO_LARGE.'),
  bug('http.database-errors', 'Errors of the database come out as 500 with SQLSTATE and PostgreSQL’s text.'),
  seen(
    'http.hostname',
    'The configured hostname is not honoured: it listens everywhere.',
    'It listens where it is told to.',
  ),
]

const access = [
  seen(
    'access.secret',
    'With an admin secret, X-PLATFORMATIC-ADMIN-SECRET (in any case) grants everything but bulk PUT.',
    'Bulk PUT too.',
  ),
  seen(
    'access.rest',
    'Over REST a stranger is 401 PLT_DB_AUTH_UNAUTHORIZED "operation not allowed", also for unknown ids.',
  ),
  seen('access.graphql', 'Over GraphQL a stranger gets 200, null data and an error with its path.'),
  bug('access.counts', 'Counts, with their filters, answer strangers.'),
  quirk('access.unknown-ids', 'With the secret, saving under an unknown id is 401 even for the admin.', 'It is 404.'),
  seen('access.upsert', 'Without access rules, saving under an unknown id creates that row.', 'It is 404.'),
  seen(
    'access.order',
    'Requests are validated before their caller is.',
    'A stranger is refused first and learns nothing about the fields.',
  ),
  bug('access.migrations', '/versions/ shows the migration table, and lets the admin write it.'),
]

const tables = [
  seen('rows.ids', 'Ids are whole numbers that go up; over REST they are numbers.'),
  seen('rows.times', 'Times are UTC, printed with milliseconds and Z.'),
  seen(
    'rows.queue',
    'A queue shows id, name, callbackUrl, method, headers, deadLetterQueueId, maxRetries, and its times.',
  ),
  seen(
    'rows.message',
    'A message shows id, queueId, when, body, failed, headers, sentAt, retries, cronId, and its times.',
  ),
  seen('rows.cron', 'A cron shows id, queueId, schedule, body, headers, and its times.'),
  seen('rows.lengths', 'Names and schedules have 255 characters at most, URLs 2048.'),
  seen('rows.dead-letter-null', 'When a dead letter queue is deleted, queues that named it have none.'),
  seen('rows.migrations', 'The tables are made and brought up to date at the start.'),
]

const rest = [
  seen('rest.page', 'A list has 10 rows unless limit says otherwise, at most 100.'),
  seen('rest.create', 'POST is 200 with the row and its location.'),
  seen('rest.save', 'POST with an existing id updates that row.'),
  seen('rest.bulk', 'PUT on a collection updates what its filter finds: 200 with the rows; 400 without a filter.'),
  seen(
    'rest.put',
    'PUT is 200 with the row and its location; what is left out keeps its value; the id of the path wins.',
  ),
  seen('rest.put-required', 'PUT takes all required fields.', 'It takes those that change.'),
  seen('rest.delete', 'DELETE is 200 with the row that is gone, 404 if there is none.'),
  bug('rest.delete-queue', 'A queue with messages or crons cannot be deleted: 500 23503.'),
  quirk(
    'rest.nested',
    'Nested lists: /queues/1/messageQueueId and /crons/1/messageCronId; /queues/1/messages is 404.',
    'The expected names work too.',
  ),
  seen('rest.nested-empty', 'A row to which nothing leads, or whose parent is unknown, is 404.'),
  seen('rest.readme-cron', 'POST /cron/, as the README has it, is 404.', 'It works.'),
  seen(
    'rest.required',
    'A queue takes name, callbackUrl, method and maxRetries, a message queueId, a cron queueId and schedule.',
    'Of a queue, only the name is required.',
  ),
  seen('rest.own-times', 'createdAt and updatedAt of a client are ignored.'),
  seen(
    'rest.state',
    'failed, sentAt and retries of a message can be set.',
    'sentAt: null sends a settled message again; nothing else can be made up.',
  ),
  seen('rest.headers', 'headers is an object or null, in and out; text is 400.'),
  seen(
    'rest.unchecked',
    'callbackUrl and method are not checked, maxRetries may be negative, a long method is 500.',
    'Each is 400 and names the field.',
  ),
  seen('rest.references', 'Unknown queueId, deadLetterQueueId, cronId are 500 23503.', 'They are 4xx and name the id.'),
  seen('rest.when', 'when is ISO text, a date will do; null is now.'),
  seen('rest.when-garbage', 'A when that is no time is 500 22007 or 22008.', 'It is 400 and names the field.'),
  bug('rest.when-offset', 'The offset of a when is dropped.'),
  bug('rest.put-when', 'PUT of a message without when sets it to now: a scheduled one goes out early.'),
  bug('rest.fields-without-id', 'PUT and DELETE with fields but not id are 500, though the write has happened.'),
]

const lists = [
  seen('lists.operators', 'eq neq gt gte lt lte like ilike in nin; several conditions all hold.'),
  seen('lists.arrays', 'contains, contained and overlaps are 500.', 'They are 400 and name the parameter.'),
  seen('lists.or', 'where.or=(a.eq=1|b.eq=2): one of these, and all the rest.'),
  seen('lists.unknown', 'Unknown fields and parameters are ignored.'),
  seen(
    'lists.null',
    'eq=null and neq=null work on text and times; on whole numbers null is 400.',
    'They work wherever a field can be null.',
  ),
  seen('lists.like-id', 'like works on ids.'),
  seen(
    'lists.bad-values',
    'Filters on headers, times that are none and lists of other things than numbers are 500.',
    'They are 400 and name the parameter.',
  ),
  seen('lists.orderby', 'orderby.field=asc or desc, several in the order given; anything else is 400.'),
  quirk('lists.default-order', 'Without orderby, rows come as the table has them.', 'They come by id.'),
  seen(
    'lists.bounds',
    'limit=0 is empty; limit=101, limit=-1 and offset=-1 are 500.',
    'What is out of bounds is 400 and names the bound.',
  ),
  seen('lists.total', 'totalCount=true gives x-total-count, whatever limit and offset say.'),
  seen(
    'lists.cursor',
    'cursor=true needs orderby by the primary key, and gives x-start-after and x-end-before for startAfter and endBefore.',
  ),
  seen('lists.bad-cursor', 'startAfter without orderby is 500, what is no base64 400.', 'Both are 400.'),
  seen('lists.fields', 'fields=a,b and fields=a&fields=b choose what comes out.'),
]

const graphql = [
  seen('graphql.post', 'POST takes query, variables and operationName, or a query as application/graphql.'),
  seen('graphql.get', 'GET takes queries; a mutation by GET is 405.'),
  seen('graphql.refused', 'A batch is 400, and {} is 400 Unknown query.'),
  seen(
    'graphql.status',
    'Syntax errors, unknown fields and bad scalars are 400 with null data; failed fields are 200.',
  ),
  seen('graphql.ids', 'Ids come out as text, go in as text or numbers; "abc" is an error.'),
  seen('graphql.headers', 'headers goes in as JSON text, literal or variable, and comes out as an object or null.'),
  seen('graphql.bad-headers', 'Other text, or an array, as headers is an error.'),
  seen('graphql.times', 'A time needs a full date and time; its offset is kept; out come UTC and milliseconds.'),
  seen('graphql.queries', 'Lists, getXById (null when unknown) and counts.'),
  seen('graphql.where', 'where with eq neq gt gte lt lte like in nin and or; null can be asked for.'),
  seen('graphql.hidden-keys', 'Foreign keys stand in inputs, not in types: queue { id } instead of queueId.'),
  seen('graphql.nested', 'Queues lead to their dead letter queue, queues, crons, messages; crons and messages back.'),
  seen('graphql.save', 'saveX inserts, or with an id changes the fields given.'),
  seen('graphql.insert', 'insertXs inserts many.'),
  seen('graphql.delete', 'deleteXs gives the deleted rows, [] if none, and deletes everything without where.'),
  seen(
    'graphql.save-queue',
    'saveQueue needs name, callbackUrl and method; maxRetries is 5 if not said.',
    'It needs the name.',
  ),
  seen('graphql.insert-none', 'insertQueues of nothing is an error of SQL syntax.', 'It gives [].'),
  seen('graphql.insert-messages', 'insertMessages stores all or nothing.'),
  bug('graphql.insert-when', 'insertMessages sets when to now for every row.'),
  bug('graphql.insert-crons', 'insertCrons neither checks schedules nor stores first ticks: those crons never fire.'),
  bug('graphql.without-id', 'A mutation that does not ask for the id is an error, though the row is written.'),
  seen('graphql.subscriptions', 'Saves and deletions are told over WebSocket, protocol graphql-transport-ws.'),
  seen('graphql.subscribers', 'Subscribers with the secret hear; without it they get silence.'),
]

const delivery = [
  seen(
    'delivery.request',
    'A delivery has the queue’s method and URL and the body byte for byte; null is an empty body.',
  ),
  seen('delivery.headers', 'It has the queue’s headers, the message’s over them, and content-type JSON unless given.'),
  seen(
    'delivery.no-id',
    'No id, attempt, signature or user agent goes with it.',
    'A webhook-id does, and more that is signed.',
  ),
  bug('delivery.header-case', 'Headers are merged by case: a queue’s Content-Type goes out beside our content-type.'),
  seen(
    'delivery.header-values',
    'Header values that are not text are made text, null becomes empty; a bad name fails every attempt.',
    'A bad name is 400.',
  ),
  seen(
    'delivery.success',
    '2xx is delivered. All else is a failed attempt: 3xx (not followed), 4xx, 5xx, refused, cut.',
  ),
  seen('delivery.methods', 'GET, HEAD and DELETE go out with their body.'),
  seen('delivery.bad-methods', 'Methods go out as stored; get or BREW fail.', 'get is GET, and BREW is 400.'),
  seen(
    'delivery.timeout',
    'An attempt may take as long as it likes.',
    'It has a bound, 15 s unless the queue says otherwise.',
  ),
  seen('delivery.delivered', 'Of a delivered message, sentAt is its time, failed false, retries the failures before.'),
  quirk(
    'delivery.when',
    'when is overwritten at each change of state.',
    'Of a settled message it is what was asked for.',
  ),
  seen('delivery.backoff', 'The n-th retry comes 100 ms × 2^n after the failure, without jitter.'),
  seen('delivery.dead', 'After maxRetries retries it is failed: true, sentAt is set, retries is maxRetries.'),
  seen('delivery.dead-letter', 'A dead letter is a new message of the dead letter queue: same body, same own headers.'),
  bug('delivery.own-dead-letter', 'A queue that is its own dead letter queue sends for ever.'),
  bug('delivery.no-retries', 'maxRetries 0 retries for ever, and -1 without pause.'),
  seen('delivery.again', 'What is failed or sent is never picked up; saveMessage with sentAt: null sends it again.'),
  bug('delivery.rounds', 'Ten at a time, each round as long as its slowest; one slow receiver holds up all queues.'),
  bug('delivery.twice', 'A wake-up while a request is open sends the message again.'),
  bug('delivery.second', 'On a lone node only the first message after the start is sent promptly.'),
  bug('delivery.far-future', 'A when more than 24.8 days ahead makes the leader poll without pause.'),
  seen('delivery.stop', 'SIGTERM waits for the open requests and stores what came of them.'),
]

const crons = [
  seen('crons.first', 'Saving a cron checks the schedule and stores one message at the next tick, in one transaction.'),
  seen('crons.chain', 'Each tick stores the next, delivered or not; schedules are UTC; sent messages stay.'),
  seen('crons.second', 'Six fields begin with seconds: */1 * * * * * fires every second.'),
  seen(
    'crons.invalid',
    'An invalid schedule is 500 "Invalid cron expression", nothing is stored.',
    'It is 400 and names the field.',
  ),
  seen('crons.accepted', 'Five and six fields, names, lists, ranges, steps, ?, 7, L, 5L, 1#1, H, and @names.'),
  quirk('crons.empty', 'An empty schedule and one of four fields are taken.', 'They are 400.'),
  seen('crons.refused', 'Words, blanks, 60 minutes, one field, seven fields, 31 February and @every are refused.'),
  bug('crons.retries', 'A failing tick stores the next one at every retry: pending messages multiply.'),
  bug('crons.put', 'PUT leaves the old chain beside the new one.'),
  bug('crons.delete', 'A cron cannot be deleted while it has messages, so it cannot be stopped.'),
  seen('crons.current', 'The next message has the cron’s schedule, body and headers as they are then.'),
]

const leader = [
  seen(
    'leader.one',
    'One session leads by an advisory lock; the others try every 10 s.',
    'They try every quarter of a second.',
  ),
  bug(
    'leader.settings',
    'The lock’s number and the followers’ interval are not configurable: the settings have no effect.',
  ),
  seen(
    'leader.writes',
    'Only the leader delivers; followers take writes, and delivery follows within milliseconds.',
    'All nodes deliver.',
  ),
  seen('leader.takeover', 'When the leader is stopped or killed, another takes over after 8 to 10 s.', 'Within 2 s.'),
  bug('leader.cut', 'A leader whose lock connection was cut leads on and delivers nothing, until a restart.'),
  seen(
    'packaging.dependencies',
    'undici is imported and not a dependency: a strict install does not start.',
    'All is declared.',
  ),
]

export const behaviours: readonly Behaviour[] = [
  ...http,
  ...access,
  ...tables,
  ...rest,
  ...lists,
  ...graphql,
  ...delivery,
  ...crons,
  ...leader,
]
