#include "CShims.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { buffer_bytes = 65536 };

struct RWInput {
  AVIOContext *context;
  uint8_t *memory;  // owned; instead of the descriptor
  int descriptor, error;
  int64_t offset, byte_count, bytes_read;
  bool passed_end;
};

// Reads at the input's offset; returns bytes, AVERROR_EOF, or an error that is remembered in `*error`.
static int read_at(int descriptor, int64_t *offset, uint8_t *bytes, int count, int *error) {
  for (;;) {
    ssize_t got = pread(descriptor, bytes, (size_t)count, *offset);
    if (got > 0) {
      *offset += got;
      return (int)got;
    }
    if (got == 0) return AVERROR_EOF;
    if (errno == EINTR) continue;
    if (!*error) *error = errno;
    return AVERROR(errno);
  }
}

static int64_t target_of_seek(int64_t current, int64_t end, int64_t offset, int whence) {
  switch (whence & ~AVSEEK_FORCE) {
    case SEEK_SET: return offset;
    case SEEK_CUR: return current + offset;
    case SEEK_END: return end + offset;
    default: return AVERROR(EINVAL);
  }
}

static int input_read(void *opaque, uint8_t *bytes, int count) {
  RWInput *input = opaque;
  int64_t before = input->offset;
  if (input->memory) {
    if (before >= input->byte_count) return AVERROR_EOF;
    if (count > input->byte_count - before) count = (int)(input->byte_count - before);
    memcpy(bytes, input->memory + before, (size_t)count);
    input->offset += count;
    input->bytes_read += count;
    return count;
  }
  int got = read_at(input->descriptor, &input->offset, bytes, count, &input->error);
  if (got > 0) input->bytes_read += got;
  else if (got == AVERROR_EOF && before < input->byte_count) input->passed_end = true;
  return got;
}

static int64_t input_seek(void *opaque, int64_t offset, int whence) {
  RWInput *input = opaque;
  if (whence & AVSEEK_SIZE) return input->byte_count;
  int64_t target = target_of_seek(input->offset, input->byte_count, offset, whence);
  if (target < 0) return AVERROR(EINVAL);
  if (target > input->byte_count) input->passed_end = true;
  return input->offset = target;
}

RWInput *rw_input_create(int descriptor, int64_t byte_count) {
  RWInput *input = calloc(1, sizeof *input);
  uint8_t *buffer = av_malloc(buffer_bytes);
  if (!input || !buffer) goto fail;
  input->descriptor = descriptor;
  input->byte_count = byte_count;
  input->context = avio_alloc_context(buffer, buffer_bytes, 0, input, input_read, NULL, input_seek);
  if (!input->context) goto fail;
  return input;
fail:
  av_free(buffer);
  free(input);
  return NULL;
}

RWInput *rw_input_create_memory(uint8_t *bytes, int64_t byte_count) {
  RWInput *input = rw_input_create(-1, byte_count);
  if (input) input->memory = bytes;
  else av_free(bytes);
  return input;
}

void rw_input_free(RWInput *input) {
  if (!input) return;
  av_free(input->memory);
  av_freep(&input->context->buffer);
  avio_context_free(&input->context);
  free(input);
}

AVIOContext *rw_input_context(RWInput *input) { return input->context; }
int rw_input_errno(const RWInput *input) { return input->error; }
int64_t rw_input_bytes_read(const RWInput *input) { return input->bytes_read; }
bool rw_input_passed_end(const RWInput *input) { return input->passed_end; }

struct RWOutput {
  AVIOContext *context;
  int descriptor, error;
  int64_t offset, byte_count, byte_limit;
  bool reached_limit;
};

static int output_write(void *opaque, uint8_t *bytes, int count) {
  RWOutput *output = opaque;
  if (output->offset + count > output->byte_limit) {
    output->reached_limit = true;
    if (!output->error) output->error = EFBIG;
    return AVERROR(EFBIG);
  }
  for (int done = 0; done < count;) {
    ssize_t put = pwrite(output->descriptor, bytes + done, (size_t)(count - done), output->offset);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) {
      if (!output->error) output->error = put < 0 ? errno : ENOSPC;
      return AVERROR(output->error);
    }
    done += (int)put;
    output->offset += put;
  }
  if (output->offset > output->byte_count) output->byte_count = output->offset;
  return count;
}

static int64_t output_seek(void *opaque, int64_t offset, int whence) {
  RWOutput *output = opaque;
  if (whence & AVSEEK_SIZE) return output->byte_count;
  int64_t target = target_of_seek(output->offset, output->byte_count, offset, whence);
  if (target < 0) return AVERROR(EINVAL);
  return output->offset = target;
}

RWOutput *rw_output_create(int descriptor, int64_t byte_limit) {
  RWOutput *output = calloc(1, sizeof *output);
  uint8_t *buffer = av_malloc(buffer_bytes);
  if (!output || !buffer) goto fail;
  output->descriptor = descriptor;
  output->byte_limit = byte_limit;
  output->context = avio_alloc_context(buffer, buffer_bytes, 1, output, NULL, output_write, output_seek);
  if (!output->context) goto fail;
  return output;
fail:
  av_free(buffer);
  free(output);
  return NULL;
}

void rw_output_free(RWOutput *output) {
  if (!output) return;
  av_freep(&output->context->buffer);
  avio_context_free(&output->context);
  free(output);
}

AVIOContext *rw_output_context(RWOutput *output) { return output->context; }
int rw_output_errno(const RWOutput *output) { return output->error; }
bool rw_output_reached_limit(const RWOutput *output) { return output->reached_limit; }
int64_t rw_output_byte_count(const RWOutput *output) { return output->byte_count; }

static int refuse_open(AVFormatContext *context, AVIOContext **pb, const char *url, int flags, AVDictionary **options) {
  return AVERROR(EACCES);
}

void rw_format_forbid_opening(AVFormatContext *context) { context->io_open = refuse_open; }

// The re-reading contexts of one muxer: an RWInput over the same descriptor, found again through its AVIOContext.
static int open_own_output(AVFormatContext *context, AVIOContext **pb, const char *url, int flags, AVDictionary **options) {
  if (flags & AVIO_FLAG_WRITE) return AVERROR(EACCES);
  RWOutput *output = context->pb->opaque;
  RWInput *input = rw_input_create(output->descriptor, output->byte_count);
  if (!input) return AVERROR(ENOMEM);
  *pb = input->context;
  return 0;
}

static int close_own_output(AVFormatContext *context, AVIOContext *pb) {
  rw_input_free(pb->opaque);
  return 0;
}

void rw_format_allow_rereading(AVFormatContext *context, RWOutput *output) {
  context->pb = output->context;
  context->io_open = open_own_output;
  context->io_close2 = close_own_output;
}
