/* What a package's installer does with stravinsky.h: the test compiles it as C and as C++.
 *
 * c_api_client COMMAND [ARGUMENT ...] prints the code, then what it asked for. */
#include "stravinsky.h"

#include <stdio.h>

static int write_file(const char* path, const char* text) {
  FILE* file = fopen(path, "w");
  if (file == NULL) return 0;
  fputs(text, file);
  return fclose(file) == 0;
}

static int say(int code, stravinsky_answer* answer, const char* path) {
  char value[256];
  printf("%d\n", code);
  if (path != NULL && answer->json != NULL)
    printf("%s\n", stravinsky_get(answer->json, path, value, sizeof value) ? value : "<none>");
  printf("%s\n", answer->message);
  stravinsky_free(answer);
  stravinsky_free(answer); /* does no harm */
  return code < 0 ? 100 - code : code;
}

int main(int argc, char** argv) {
  stravinsky_answer answer = STRAVINSKY_ANSWER;
  const char* command = argc > 1 ? argv[1] : "";
  const char* argument = argc > 2 ? argv[2] : NULL;
  const char* path = argc > 3 ? argv[3] : NULL;
  signal(SIGPIPE, SIG_IGN);
  if (getenv("IGNORE_CHILDREN") != NULL) signal(SIGCHLD, SIG_IGN);
  if (strcmp(command, "install") == 0) { /* VERSION FILE TEXT: as the header's example */
    int code = stravinsky_begin(argument, &answer); /* what it tells is freed by the next */
    if (code != STRAVINSKY_OK) return say(code, &answer, NULL);
    code = write_file(path, argv[4]) ? stravinsky_finish(argument, &answer)
                                     : stravinsky_finish_failed(argument, "no file", &answer);
    return say(code, &answer, "to_version");
  }
  if (strcmp(command, "die") == 0) { /* VERSION FILE: killed while it writes */
    if (stravinsky_begin(argument, NULL) != STRAVINSKY_OK) return 1;
    write_file(path, "half a fi");
    return raise(SIGKILL);
  }
  if (strcmp(command, "begin") == 0) return say(stravinsky_begin(argument, &answer), &answer, path);
  if (strcmp(command, "finish") == 0)
    return say(stravinsky_finish(argument, &answer), &answer, path);
  if (strcmp(command, "failed") == 0)
    return say(stravinsky_finish_failed(argument, argc > 4 ? argv[4] : NULL, &answer), &answer,
               path);
  if (strcmp(command, "status") == 0) return say(stravinsky_status(&answer), &answer, path);
  if (strcmp(command, "rollback") == 0)
    return say(stravinsky_rollback(argument, &answer), &answer, path);
  if (strcmp(command, "get") == 0) { /* JSON PATH BYTES */
    char value[64];
    const int found = stravinsky_get(argument, path, value, (size_t)atoi(argv[4]));
    printf("%d %s\n", found, value);
    return 0;
  }
  if (strcmp(command, "cuts") == 0) { /* JSON PATH: of every beginning of it */
    const size_t size = strlen(argument);
    for (size_t cut = 0; cut <= size; ++cut) {
      char value[64];
      char* begin = (char*)calloc(cut + 1, 1); /* so that a sanitizer sees the end */
      if (begin == NULL) return 1;
      memcpy(begin, argument, cut);
      (void)stravinsky_get(begin, path, value, sizeof value);
      free(begin);
    }
    return 0;
  }
  return 2;
}
