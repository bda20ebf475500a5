/*
 * The receiver of every contender: answers 204 over keep-alive connections on one thread, and keeps the books.
 *
 * A message's number and the moment it was meant to be put stand in its body as "id" and "at" (microseconds of the
 * monotonic clock, which all processes of a machine share). The path says more: /offset/<n> is added to the number,
 * /after/<ms> delays the answer, /hang gives none. Commands come as lines on stdin, answers go as JSON to stdout:
 *   reset <messages>    empties the books
 *   report              says what is in them; said without asking when the last message has come
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BUFFER 65536
#define MOST_FDS 65536
static const char ANSWER[] = "HTTP/1.1 204 No Content\r\n\r\n";
#define ANSWER_LENGTH (sizeof ANSWER - 1)

struct connection { char *buffer; size_t length; unsigned generation; };
struct delayed { int fd; unsigned generation; int64_t due; };

static struct connection connections[MOST_FDS];
static unsigned open_now, most_open;
static struct delayed *line;
static size_t line_head, line_tail, line_size = 1 << 20;

static size_t expected;
static uint8_t *seen;
static uint32_t *waited;
static size_t distinct, duplicates, strangers, hung;
static int64_t first_at, last_at;

static int64_t now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int compare(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return x < y ? -1 : x > y;
}

static void report(const char *event) {
  size_t n = 0;
  uint32_t *sorted = malloc((distinct + 1) * sizeof *sorted);
  for (size_t i = 0; i < expected; i++)
    if (seen[i] && waited[i] != UINT32_MAX) sorted[n++] = waited[i];
  qsort(sorted, n, sizeof *sorted, compare);
#define QUANTILE(q) (n ? sorted[(size_t)((double)(n - 1) * (q))] : 0)
  printf("{\"event\":\"%s\",\"distinct\":%zu,\"duplicates\":%zu,\"strangers\":%zu,\"hung\":%zu,\"firstUs\":%lld,"
         "\"lastUs\":%lld,\"timed\":%zu,\"p50\":%u,\"p90\":%u,\"p99\":%u,\"most\":%u,\"connections\":%u}\n",
         event, distinct, duplicates, strangers, hung, (long long)first_at, (long long)last_at, n, QUANTILE(0.5),
         QUANTILE(0.9), QUANTILE(0.99), n ? sorted[n - 1] : 0, most_open);
  fflush(stdout);
  free(sorted);
}

static void reset(size_t messages) {
  expected = messages;
  free(seen);
  free(waited);
  seen = calloc(messages + 1, 1);
  waited = calloc(messages + 1, sizeof *waited);
  distinct = duplicates = strangers = hung = 0;
  first_at = last_at = 0;
  most_open = open_now;
}

static int64_t number_after(const char *from, const char *end, const char *name) {
  const char *found = memmem(from, (size_t)(end - from), name, strlen(name));
  return found ? strtoll(found + strlen(name), NULL, 10) : -1;
}

static void note(int64_t id, int64_t at) {
  int64_t now = now_us();
  if (id < 0 || (size_t)id >= expected) {
    strangers++;
    return;
  }
  if (seen[id]) {
    duplicates++;
    return;
  }
  seen[id] = 1;
  waited[id] = at > 0 ? (uint32_t)(now > at ? now - at : 0) : UINT32_MAX;
  if (distinct++ == 0) first_at = now;
  last_at = now;
  if (distinct == expected) report("all");
}

static void answer(int fd, size_t answers) {
  static char out[ANSWER_LENGTH * 512];
  for (size_t i = 0; i < answers && i < 512; i++) memcpy(out + i * ANSWER_LENGTH, ANSWER, ANSWER_LENGTH);
  while (answers > 0) {
    size_t some = answers > 512 ? 512 : answers, sent = 0;
    while (sent < some * ANSWER_LENGTH) {
      ssize_t n = write(fd, out + sent, some * ANSWER_LENGTH - sent);
      if (n < 0 && errno != EAGAIN && errno != EINTR) return;
      if (n > 0) sent += (size_t)n;
    }
    answers -= some;
  }
}

static void answer_later(int fd, int64_t ms) {
  struct delayed *one = &line[line_tail++ % line_size];
  *one = (struct delayed){fd, connections[fd].generation, now_us() + ms * 1000};
}

/* Takes one request from the front. Gives its length, 0 if it is not whole yet, -1 if it is none. */
static ssize_t take(int fd, char *from, char *end, size_t *answers) {
  char *head_end = memmem(from, (size_t)(end - from), "\r\n\r\n", 4);
  if (!head_end) return end - from >= BUFFER ? -1 : 0;
  char *line_end = memmem(from, (size_t)(head_end + 2 - from), "\r\n", 2);
  char *body = head_end + 4;
  int64_t length = 0;
  for (char *at = line_end; at < head_end; at = memmem(at + 2, (size_t)(body - at - 2), "\r\n", 2)) {
    if (strncasecmp(at + 2, "content-length:", 15) == 0) length = strtoll(at + 17, NULL, 10);
  }
  if (length < 0 || body - from + length > BUFFER) return -1;
  if (end - body < length) return 0;
  char *body_end = body + (length < 96 ? length : 96);
  if (memmem(from, (size_t)(line_end - from), "/hang", 5)) {
    hung++;
  } else {
    int64_t offset = number_after(from, line_end, "/offset/"), ms = number_after(from, line_end, "/after/");
    int64_t id = number_after(body, body_end, "\"id\":");
    note(id < 0 ? id : id + (offset > 0 ? offset : 0), number_after(body, body_end, "\"at\":"));
    if (ms > 0) answer_later(fd, ms);
    else ++*answers;
  }
  return body + length - from;
}

static void drop(int fd) {
  connections[fd].generation++;
  connections[fd].length = 0;
  open_now--;
  close(fd);
}

static void serve(int fd) {
  struct connection *c = &connections[fd];
  ssize_t n = read(fd, c->buffer + c->length, BUFFER - c->length);
  if (n <= 0) {
    if (n == 0 || (errno != EAGAIN && errno != EINTR)) drop(fd);
    return;
  }
  c->length += (size_t)n;
  char *from = c->buffer, *end = c->buffer + c->length;
  size_t answers = 0;
  ssize_t taken = 0;
  while (from < end && (taken = take(fd, from, end, &answers)) > 0) from += taken;
  if (answers) answer(fd, answers);
  if (taken < 0) {
    drop(fd);
    return;
  }
  c->length = (size_t)(end - from);
  memmove(c->buffer, from, c->length);
}

/* It listens on all of 127.0.0.0/8, so that there can be many origins, and talks to nobody else. */
static void welcome(int listener, int epoll) {
  struct sockaddr_in peer;
  socklen_t size = sizeof peer;
  int fd = accept4(listener, (struct sockaddr *)&peer, &size, SOCK_NONBLOCK), one = 1;
  if (fd < 0) return;
  if (fd >= MOST_FDS || (ntohl(peer.sin_addr.s_addr) >> 24) != 127) {
    close(fd);
    return;
  }
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (!connections[fd].buffer) connections[fd].buffer = malloc(BUFFER);
  if (++open_now > most_open) most_open = open_now;
  epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLIN, .data.fd = fd});
}

static void obey(void) {
  static char text[4096];
  static size_t length;
  ssize_t n = read(0, text + length, sizeof text - length - 1);
  if (n <= 0) exit(0);
  length += (size_t)n;
  text[length] = 0;
  char *from = text, *end;
  while ((end = strchr(from, '\n'))) {
    if (strncmp(from, "reset ", 6) == 0) {
      reset(strtoull(from + 6, NULL, 10));
      printf("{\"event\":\"reset\"}\n");
      fflush(stdout);
    } else {
      report("report");
    }
    from = end + 1;
  }
  length = strlen(from);
  memmove(text, from, length);
}

static int answer_due(void) {
  int64_t now = now_us();
  while (line_head != line_tail) {
    struct delayed *one = &line[line_head % line_size];
    if (one->due > now) return (int)((one->due - now + 999) / 1000);
    if (connections[one->fd].generation == one->generation) answer(one->fd, 1);
    line_head++;
  }
  return -1;
}

int main(void) {
  int listener = socket(AF_INET, SOCK_STREAM, 0), epoll = epoll_create1(0), one = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
  socklen_t size = sizeof address;
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 4096)) return 1;
  fcntl(listener, F_SETFL, O_NONBLOCK);
  getsockname(listener, (struct sockaddr *)&address, &size);
  line = malloc(line_size * sizeof *line);
  reset(0);
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &(struct epoll_event){.events = EPOLLIN, .data.fd = listener});
  epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &(struct epoll_event){.events = EPOLLIN, .data.fd = 0});
  printf("{\"event\":\"listening\",\"port\":%d}\n", ntohs(address.sin_port));
  fflush(stdout);
  struct epoll_event events[256];
  for (;;) {
    int n = epoll_wait(epoll, events, 256, answer_due());
    for (int i = 0; i < n; i++) {
      if (events[i].data.fd == listener) welcome(listener, epoll);
      else if (events[i].data.fd == 0) obey();
      else serve(events[i].data.fd);
    }
  }
}
