// What the Swift importer cannot see of FFmpeg: macros, variadics, the log callback; and byte input and output over
// descriptors, whose callbacks run on libav's threads.
#ifndef REELWRIGHT_CSHIMS_H
#define REELWRIGHT_CSHIMS_H

#include <libavcodec/avcodec.h>
#include <libavfilter/avfilter.h>
#include <libavformat/avformat.h>
#include <libavutil/buffer.h>
#include <libswscale/swscale.h>
#include <stdbool.h>
#include <stdint.h>

// Constants that are macros.
extern const int rw_error_again;         // AVERROR(EAGAIN)
extern const int rw_error_end;           // AVERROR_EOF
extern const int rw_error_invalid;       // AVERROR_INVALIDDATA
extern const int rw_error_interrupted;   // AVERROR_EXIT
extern const int rw_error_no_memory;     // AVERROR(ENOMEM)
extern const int rw_error_io;            // AVERROR(EIO)
extern const int rw_error_no_space;      // AVERROR(ENOSPC)
extern const int rw_error_no_decoder;    // AVERROR_DECODER_NOT_FOUND
extern const int rw_error_no_demuxer;    // AVERROR_DEMUXER_NOT_FOUND
extern const int rw_error_unsupported;   // AVERROR_PATCHWELCOME
extern const int64_t rw_no_timestamp;    // AV_NOPTS_VALUE

// FFmpeg's text for an error code. `text` holds at least 64 bytes.
void rw_error_text(int code, char *text, size_t size);
// "5.1.6-0+deb12u1"
const char *rw_ffmpeg_version(void);

// ---- Log ----------------------------------------------------------------------------------------------------
// FFmpeg's log lines go to the run that caused them, never to stderr: a line belongs to the diagnostics that its
// codec, format or filter context carries as `opaque`, else to those that the calling thread has entered.
typedef struct RWDiagnostics RWDiagnostics;
RWDiagnostics *rw_diagnostics_create(void);
void rw_diagnostics_free(RWDiagnostics *diagnostics);
// Makes `diagnostics` (or none: NULL) those of the calling thread; returns the ones before.
RWDiagnostics *rw_diagnostics_enter(RWDiagnostics *diagnostics);
// How many lines at level AV_LOG_ERROR or worse (`errors`), else at AV_LOG_WARNING, have come.
int64_t rw_diagnostics_count(RWDiagnostics *diagnostics, bool errors);
// How many pictures have been concealed since the last call.
int64_t rw_diagnostics_take_concealments(RWDiagnostics *diagnostics);
// Copies kept line `index` (the first 100 different ones); returns its level, or -1 past the end.
int rw_diagnostics_line(RWDiagnostics *diagnostics, int index, char *text, size_t size);

// ---- Bytes --------------------------------------------------------------------------------------------------
typedef struct RWInput RWInput;
// Reads `descriptor` (not owned) by pread from offset 0. `byte_count` is its size when it was opened.
RWInput *rw_input_create(int descriptor, int64_t byte_count);
// Reads `bytes`, which it owns from now on (allocated by av_malloc), also when it fails.
RWInput *rw_input_create_memory(uint8_t *bytes, int64_t byte_count);
void rw_input_free(RWInput *input);
AVIOContext *rw_input_context(RWInput *input);
int rw_input_errno(const RWInput *input);            // first failed read, or 0
int64_t rw_input_bytes_read(const RWInput *input);   // bytes handed to libav in all
bool rw_input_passed_end(const RWInput *input);      // a seek went beyond the size, or the file became shorter

typedef struct RWOutput RWOutput;
// Writes `descriptor` (not owned, open for reading too) by pwrite; at most `byte_limit` bytes.
RWOutput *rw_output_create(int descriptor, int64_t byte_limit);
void rw_output_free(RWOutput *output);
AVIOContext *rw_output_context(RWOutput *output);
int rw_output_errno(const RWOutput *output);         // first failed write, or 0
bool rw_output_reached_limit(const RWOutput *output); // whether a write would have passed the limit that it was made with
int64_t rw_output_byte_count(const RWOutput *output);

// Refuses every attempt of a demuxer to open something else.
void rw_format_forbid_opening(AVFormatContext *context);
// Lets a muxer read its own output again (faststart) and refuses everything else.
void rw_format_allow_rereading(AVFormatContext *context, RWOutput *output);

// ---- Pools --------------------------------------------------------------------------------------------------
// A pool of equally sized buffers that counts the ones it had to allocate.
typedef struct RWPool RWPool;
RWPool *rw_pool_create(size_t byte_count);
void rw_pool_free(RWPool *pool);   // buffers still in use live on
AVBufferRef *rw_pool_get(RWPool *pool);
int64_t rw_pool_allocations(const RWPool *pool);

// Per-sample expressions over two planar 4:2:0 pictures: the names of xfade's custom effect (X Y W H A B PLANE P,
// a0(x,y) … b3(x,y)), coordinates in luma samples. Null for text that does not parse.
typedef struct RWExpression RWExpression;
typedef struct RWPlanes {
  uint8_t *data[3];
  ptrdiff_t stride[3];  // bytes
  int width, height, depth;
} RWPlanes;
RWExpression *rw_expression_create(const char *text);
void rw_expression_free(RWExpression *expression);
void rw_expression_draw(RWExpression *expression, const RWPlanes *dst, const RWPlanes *a, const RWPlanes *b, double progress);

#endif
