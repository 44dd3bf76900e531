/* stravinsky.h: protection of a Claude Code configuration round an installer that writes
 * by itself, for C (C99) and C++ (C++17) on POSIX systems. Copy this file; there is nothing
 * to link. It runs the program "stravinsky" (no shell is involved) and reads its --json.
 *
 *   stravinsky_answer answer = STRAVINSKY_ANSWER;
 *   int code = stravinsky_begin("0.4.0", &answer);      a verified backup is made
 *   if (code == STRAVINSKY_OK)
 *     code = copy_my_files() ? stravinsky_finish("0.4.0", &answer)
 *                            : stravinsky_finish_failed("0.4.0", "copy failed", &answer);
 *   else if (code == STRAVINSKY_NOT_INSTALLED)
 *     ...                                 nobody protects: install as ever, or say so
 *   else
 *     ...                                 write nothing: no backup was made
 *   if (code != STRAVINSKY_OK) fprintf(stderr, "%s\n", answer.message);
 *   stravinsky_free(&answer);
 *
 * Every function waits until the program has ended and returns a stravinsky_code. Texts go
 * in as NUL-terminated UTF-8 and are copied. `answer` may be NULL; else it was initialised,
 * and what it holds from an earlier call is freed. Standard input of the program is empty,
 * its standard error is the caller's, its tree that of the caller's HOME and
 * CLAUDE_CONFIG_DIR. Nothing here keeps state, so any thread may call. A process that dies between
 * begin and finish is found by stravinsky_status() (begun_version) until somebody finishes in its
 * place.
 *
 * With -std=c99 include this file first, or define _POSIX_C_SOURCE 200809L.
 */
#ifndef STRAVINSKY_H
#define STRAVINSKY_H

#if !defined(_POSIX_C_SOURCE) && !defined(_GNU_SOURCE)
#define _POSIX_C_SOURCE 200809L
#endif

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The program; define it before the inclusion to name another, by its path for example. */
#ifndef STRAVINSKY_PROGRAM
#define STRAVINSKY_PROGRAM "stravinsky"
#endif

/* The codes from 0 on are the exit codes of the program. */
typedef enum stravinsky_code {
  STRAVINSKY_NO_ANSWER = -2,     /* it could not be started, was killed, or said nothing that
                                    can be read: ask stravinsky_status() what became of it */
  STRAVINSKY_NOT_INSTALLED = -1, /* there is no such program in PATH; nothing was done */
  STRAVINSKY_OK = 0,             /* done */
  STRAVINSKY_FAILED = 1,         /* nothing was changed, or the old tree is back */
  STRAVINSKY_USAGE = 2,          /* a bad argument: an impossible version, another one begun */
  STRAVINSKY_REFUSED = 3,        /* a check stands in the way */
  STRAVINSKY_CONFLICT = 4,       /* an update was begun and is not finished */
  STRAVINSKY_NOT_FOUND = 5,      /* no update was begun; no such version */
  STRAVINSKY_LOCKED = 6,         /* another process is at work */
  STRAVINSKY_CORRUPT = 7,        /* the store is damaged */
  STRAVINSKY_INCONSISTENT = 8,   /* run: stravinsky recovery resume */
  STRAVINSKY_PERMISSION = 9,
  STRAVINSKY_NO_SPACE = 10,
  STRAVINSKY_INTERRUPTED = 130 /* rolled back */
} stravinsky_code;

typedef struct stravinsky_answer {
  char* json;        /* the program's answer, one JSON object, NUL-terminated; NULL for codes
                        below 0. Owned by the answer: stravinsky_free() */
  char message[512]; /* for people, what failed and what to do; cut when longer, empty when
                        nothing failed */
} stravinsky_answer;
#define STRAVINSKY_ANSWER {NULL, ""}

/* Frees what the answer owns and clears it. NULL and a cleared answer are fine. */
static inline void stravinsky_free(stravinsky_answer* answer) {
  if (answer == NULL) return;
  free(answer->json);
  memset(answer, 0, sizeof *answer);
}

/* Copies the value at `path` of a JSON object ("error.message", "to_version"; keys only) to
 * `out` (out_bytes > 0): a string decoded, true, false, a number or null as they stand; cut
 * where `out` ends. Returns 1, or 0 with an empty `out` when there is no such value. Reads
 * what this program writes; it is no judge of JSON. */
static inline int stravinsky_get(const char* json, const char* path, char* out, size_t out_bytes);

/* Makes sure of room, rights and a verified backup before an installer of `version` writes.
 * Unless it returns STRAVINSKY_OK nothing was begun. */
static inline int stravinsky_begin(const char* version, stravinsky_answer* answer);

/* Checks what the installer did and keeps it (STRAVINSKY_OK), or takes it back
 * (STRAVINSKY_FAILED; the message says why). `version` is that of begin. */
static inline int stravinsky_finish(const char* version, stravinsky_answer* answer);

/* The installer failed: takes back what it did. Returns STRAVINSKY_FAILED when the old tree
 * is back, since the update has failed. `why` goes to the trail; it may be NULL. */
static inline int stravinsky_finish_failed(const char* version, const char* why,
                                           stravinsky_answer* answer);

/* Where things stand: "current_version", "begun_version" (empty: none), "held_version" and
 * what else `stravinsky status --json` tells. Changes nothing but to recover from a crash. */
static inline int stravinsky_status(stravinsky_answer* answer);

/* Takes the last change back (version NULL), or goes back to that version. */
static inline int stravinsky_rollback(const char* version, stravinsky_answer* answer);

/* ---- the inside ----------------------------------------------------------------------- */

extern char** environ;

/* Behind the JSON value that begins at `at`; never behind the end. */
static inline const char* stravinsky_skip_(const char* at) {
  int depth = 0;
  do {
    if (*at == '"') {
      for (++at; *at != '\0' && *at != '"'; ++at)
        if (*at == '\\' && at[1] != '\0') ++at;
      if (*at != '\0') ++at;
    } else if (*at == '{' || *at == '[') {
      ++depth, ++at;
    } else if (*at == '}' || *at == ']') {
      --depth, ++at;
    } else {
      const size_t plain = strcspn(at, depth > 0 ? "\"{}[]" : "\",{}[] \t\r\n");
      if (plain == 0) return at;
      at += plain;
    }
  } while (depth > 0 && *at != '\0');
  return at;
}

/* The value of a key in the object at `at`; NULL without one. */
static inline const char* stravinsky_member_(const char* at, const char* key, size_t key_bytes) {
  static const char between[] = " \t\r\n,:";
  if (*at != '{') return NULL;
  for (++at;;) {
    const char* name = at + strspn(at, between) + 1;
    if (name[-1] != '"') return NULL;
    at = stravinsky_skip_(name - 1);
    at += strspn(at, between);
    if (strncmp(name, key, key_bytes) == 0 && name[key_bytes] == '"') return at;
    at = stravinsky_skip_(at);
  }
}

static inline int stravinsky_get(const char* json, const char* path, char* out, size_t out_bytes) {
  static const char escapes[] = "bfnrt", meant[] = "\b\f\n\r\t";
  const char *at = json, *end, *escape;
  size_t used = 0;
  out[0] = '\0';
  while (at != NULL && *path != '\0') {
    const size_t key_bytes = strcspn(path, ".");
    at = stravinsky_member_(at, path, key_bytes);
    path += key_bytes + (path[key_bytes] == '.');
  }
  if (at == NULL || strchr("{[", *at) != NULL) return 0;
  end = stravinsky_skip_(at);
  if (*at == '"') ++at, --end;
  while (at < end && used + 1 < out_bytes) {
    if (*at != '\\') {
      out[used++] = *at++;
    } else if (at[1] == 'u' && end - at >= 6) { /* a control character: others stand as they are */
      const char digits[] = {at[2], at[3], at[4], at[5], '\0'};
      out[used++] = (char)strtol(digits, NULL, 16);
      at += 6;
    } else {
      escape = strchr(escapes, at[1]);
      out[used++] = escape == NULL ? at[1] : meant[escape - escapes];
      at += 2;
    }
  }
  out[used] = '\0';
  return 1;
}

/* All of the descriptor, NUL-terminated; NULL without memory. */
static inline char* stravinsky_read_(int fd) {
  size_t size = 0, room = 4096;
  char* text = (char*)malloc(room);
  while (text != NULL) {
    const ssize_t got = read(fd, text + size, room - size - 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    size += (size_t)got;
    if (room - size < 2) {
      char* const larger = (char*)realloc(text, room *= 2);
      if (larger == NULL) free(text);
      text = larger;
    }
  }
  if (text != NULL) text[size] = '\0';
  return text;
}

/* Starts the program with its output in *output; 0 or an errno. */
static inline int stravinsky_start_(char* const* argv, pid_t* child, int* output) {
  int ends[2], failed;
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  sigset_t defaults;
  if (pipe(ends) != 0) return errno;
  (void)fcntl(ends[0], F_SETFD, FD_CLOEXEC);
  (void)fcntl(ends[1], F_SETFD, FD_CLOEXEC);
  sigemptyset(&defaults); /* what the caller ignores the program must not: it has children, too */
  sigaddset(&defaults, SIGCHLD);
  sigaddset(&defaults, SIGPIPE);
  failed = posix_spawn_file_actions_init(&files);
  if (failed == 0 && (failed = posix_spawnattr_init(&attributes)) != 0)
    posix_spawn_file_actions_destroy(&files);
  if (failed == 0) {
    failed = posix_spawnattr_setsigdefault(&attributes, &defaults);
    if (failed == 0) failed = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    if (failed == 0) failed = posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO);
    if (failed == 0)
      failed = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (failed == 0) failed = posix_spawnp(child, argv[0], &files, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
  }
  close(ends[1]);
  if (failed != 0) close(ends[0]);
  *output = ends[0];
  return failed;
}

/* No answer came: the code, said in words. */
static inline int stravinsky_none_(stravinsky_answer* answer, int code) {
  free(answer->json);
  answer->json = NULL;
  strcpy(answer->message, code == STRAVINSKY_NOT_INSTALLED
                              ? "stravinsky is not installed; nothing was done"
                              : "stravinsky gave no answer; ask it: stravinsky status");
  return code;
}

static inline int stravinsky_run_(const char* const* arguments, stravinsky_answer* answer) {
  stravinsky_answer unwanted = STRAVINSKY_ANSWER;
  char *argv[12], told[8];
  pid_t child = 0, ended;
  int output = -1, status = 0, code;
  size_t count = 0, used;
  if (answer == NULL) {
    code = stravinsky_run_(arguments, &unwanted);
    stravinsky_free(&unwanted);
    return code;
  }
  stravinsky_free(answer);
  argv[count++] = (char*)STRAVINSKY_PROGRAM;
  while (*arguments != NULL && count < 10) argv[count++] = (char*)*arguments++;
  argv[count++] = (char*)"--json";
  argv[count] = NULL;
  code = stravinsky_start_(argv, &child, &output);
  if (code == ENOENT) return stravinsky_none_(answer, STRAVINSKY_NOT_INSTALLED);
  if (code != 0) return stravinsky_none_(answer, STRAVINSKY_NO_ANSWER);
  answer->json = stravinsky_read_(output);
  close(output);
  do ended = waitpid(child, &status, 0);
  while (ended < 0 && errno == EINTR);
  if (ended == child && WIFEXITED(status) && WEXITSTATUS(status) == 127)
    return stravinsky_none_(answer, STRAVINSKY_NOT_INSTALLED); /* an old libc */
  if (answer->json == NULL || (ended == child && !WIFEXITED(status)) ||
      !stravinsky_get(answer->json, "exit_code", told, sizeof told))
    return stravinsky_none_(answer, STRAVINSKY_NO_ANSWER);
  /* Of a caller who ignores SIGCHLD the system keeps no exit code. */
  code = ended == child ? WEXITSTATUS(status) : atoi(told);
  if (stravinsky_get(answer->json, "error.message", answer->message, sizeof answer->message)) {
    used = strlen(answer->message);
    if (used + 2 < sizeof answer->message) {
      answer->message[used++] = '\n';
      (void)stravinsky_get(answer->json, "error.remedy", answer->message + used,
                           sizeof answer->message - used);
    }
  }
  return code;
}

static inline int stravinsky_begin(const char* version, stravinsky_answer* answer) {
  const char* const arguments[] = {"update", "begin", version, NULL};
  return stravinsky_run_(arguments, answer);
}

static inline int stravinsky_finish(const char* version, stravinsky_answer* answer) {
  const char* const arguments[] = {"update", "finish", version, NULL};
  return stravinsky_run_(arguments, answer);
}

static inline int stravinsky_finish_failed(const char* version, const char* why,
                                           stravinsky_answer* answer) {
  const char* const arguments[] = {"update",  "finish",
                                   version,   "--failed",
                                   "--error", why == NULL ? "the installer failed" : why,
                                   NULL};
  return stravinsky_run_(arguments, answer);
}

static inline int stravinsky_status(stravinsky_answer* answer) {
  const char* const arguments[] = {"status", NULL};
  return stravinsky_run_(arguments, answer);
}

static inline int stravinsky_rollback(const char* version, stravinsky_answer* answer) {
  const char* const undo[] = {"rollback", "undo", "--yes", NULL};
  const char* const to[] = {"rollback", "to", version, "--yes", NULL};
  return stravinsky_run_(version == NULL ? undo : to, answer);
}

#ifdef __cplusplus
}
#endif

#endif
