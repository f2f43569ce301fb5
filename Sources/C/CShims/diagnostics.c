#include "CShims.h"

#include <libavutil/log.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { kept_lines = 100, line_bytes = 320, max_live = 1024 };

struct RWDiagnostics {
  int64_t errors, warnings, concealments;
  int count;
  struct {
    int level;
    char text[line_bytes];
  } lines[kept_lines];
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static RWDiagnostics *live[max_live];
static _Thread_local RWDiagnostics *current;

static bool is_live(const void *pointer) {
  for (int i = 0; pointer && i < max_live; i++)
    if (live[i] == pointer) return true;
  return false;
}

// The diagnostics that a context, or one of its parents, carries as `opaque`; only pointers in `live` are believed.
static RWDiagnostics *owner(void *context) {
  for (int depth = 0; context && depth < 8; depth++) {
    const AVClass *class = *(const AVClass **)context;
    if (!class || !class->class_name) break;
    void *opaque = NULL;
    if (!strcmp(class->class_name, "AVCodecContext")) opaque = ((AVCodecContext *)context)->opaque;
    else if (!strcmp(class->class_name, "AVFormatContext")) opaque = ((AVFormatContext *)context)->opaque;
    else if (!strcmp(class->class_name, "AVFilter") && ((AVFilterContext *)context)->graph)
      opaque = ((AVFilterContext *)context)->graph->opaque;
    if (is_live(opaque)) return opaque;
    if (!class->parent_log_context_offset) break;
    context = *(void **)((char *)context + class->parent_log_context_offset);
  }
  return current;
}

static void receive(void *context, int level, const char *format, va_list arguments) {
  level &= 0xff;
  // libavcodec's error concealment says this once a picture, at whatever level.
  if (!strncmp(format, "concealing ", 11)) {
    pthread_mutex_lock(&lock);
    RWDiagnostics *diagnostics = owner(context);
    if (diagnostics) diagnostics->concealments++;
    pthread_mutex_unlock(&lock);
  }
  if (level > AV_LOG_WARNING) return;
  char text[line_bytes];
  int prefix = 1;
  av_log_format_line2(context, level, format, arguments, text, sizeof text, &prefix);
  size_t length = strlen(text);
  while (length && (text[length - 1] == '\n' || text[length - 1] == '\r')) text[--length] = 0;
  // The address in "[h264 @ 0x55…]" differs from run to run and says nothing.
  char *at = strstr(text, " @ 0x"), *close = at ? strchr(at, ']') : NULL;
  if (close) memmove(at, close, strlen(close) + 1);

  pthread_mutex_lock(&lock);
  RWDiagnostics *diagnostics = owner(context);
  if (diagnostics) {
    if (level <= AV_LOG_ERROR) diagnostics->errors++;
    else diagnostics->warnings++;
    bool known = false;
    for (int i = 0; i < diagnostics->count && !known; i++) known = !strcmp(diagnostics->lines[i].text, text);
    if (!known && diagnostics->count < kept_lines) {
      diagnostics->lines[diagnostics->count].level = level;
      memcpy(diagnostics->lines[diagnostics->count].text, text, sizeof text);
      diagnostics->count++;
    }
  }
  pthread_mutex_unlock(&lock);
}

static void install(void) { av_log_set_callback(receive); }

RWDiagnostics *rw_diagnostics_create(void) {
  pthread_once(&once, install);
  RWDiagnostics *diagnostics = calloc(1, sizeof *diagnostics);
  if (!diagnostics) return NULL;
  pthread_mutex_lock(&lock);
  for (int i = 0; i < max_live; i++)
    if (!live[i]) {
      live[i] = diagnostics;
      break;
    }
  pthread_mutex_unlock(&lock);
  return diagnostics;
}

void rw_diagnostics_free(RWDiagnostics *diagnostics) {
  pthread_mutex_lock(&lock);
  for (int i = 0; i < max_live; i++)
    if (live[i] == diagnostics) live[i] = NULL;
  pthread_mutex_unlock(&lock);
  if (current == diagnostics) current = NULL;
  free(diagnostics);
}

RWDiagnostics *rw_diagnostics_enter(RWDiagnostics *diagnostics) {
  RWDiagnostics *before = current;
  current = diagnostics;
  return before;
}

int64_t rw_diagnostics_count(RWDiagnostics *diagnostics, bool errors) {
  pthread_mutex_lock(&lock);
  int64_t count = errors ? diagnostics->errors : diagnostics->warnings;
  pthread_mutex_unlock(&lock);
  return count;
}

int64_t rw_diagnostics_take_concealments(RWDiagnostics *diagnostics) {
  pthread_mutex_lock(&lock);
  int64_t count = diagnostics->concealments;
  diagnostics->concealments = 0;
  pthread_mutex_unlock(&lock);
  return count;
}

int rw_diagnostics_line(RWDiagnostics *diagnostics, int index, char *text, size_t size) {
  int level = -1;
  pthread_mutex_lock(&lock);
  if (index >= 0 && index < diagnostics->count && size) {
    level = diagnostics->lines[index].level;
    strncpy(text, diagnostics->lines[index].text, size - 1);
    text[size - 1] = 0;
  }
  pthread_mutex_unlock(&lock);
  return level;
}
