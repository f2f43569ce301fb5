#include "CShims.h"

#include <libavutil/error.h>
#include <libavutil/ffversion.h>
#include <string.h>

const int rw_error_again = AVERROR(EAGAIN);
const int rw_error_end = AVERROR_EOF;
const int rw_error_invalid = AVERROR_INVALIDDATA;
const int rw_error_interrupted = AVERROR_EXIT;
const int rw_error_no_memory = AVERROR(ENOMEM);
const int rw_error_io = AVERROR(EIO);
const int rw_error_no_space = AVERROR(ENOSPC);
const int rw_error_no_decoder = AVERROR_DECODER_NOT_FOUND;
const int rw_error_no_demuxer = AVERROR_DEMUXER_NOT_FOUND;
const int rw_error_unsupported = AVERROR_PATCHWELCOME;
const int64_t rw_no_timestamp = AV_NOPTS_VALUE;

void rw_error_text(int code, char *text, size_t size) { av_strerror(code, text, size); }

const char *rw_ffmpeg_version(void) { return av_version_info(); }
