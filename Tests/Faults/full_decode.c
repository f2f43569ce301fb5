// full_decode FILE: decodes the best video and the best audio stream of a file to its end, and prints what the libraries
// noticed as one line of JSON. A judge that shares no code with Reelwright. Linked against FFmpeg only.
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <stdio.h>

typedef struct {
  AVCodecContext *codec;
  int index;
  long packets, frames, refused, corrupt, flawed;
} Track;

static void take(Track *track, AVFrame *frame) {
  for (;;) {
    int status = avcodec_receive_frame(track->codec, frame);
    if (status == AVERROR(EAGAIN) || status == AVERROR_EOF) return;
    if (status < 0) { track->refused++; return; }
    track->frames++;
    if (frame->flags & AV_FRAME_FLAG_CORRUPT) track->corrupt++;
    if (frame->decode_error_flags) track->flawed++;
    av_frame_unref(frame);
  }
}

static void print(const char *name, const Track *track) {
  printf(", \"%s\": {\"present\": %s, \"packets\": %ld, \"frames\": %ld, \"refused\": %ld, \"corrupt\": %ld, \"flawed\": %ld}", name,
         track->codec ? "true" : "false", track->packets, track->frames, track->refused, track->corrupt, track->flawed);
}

int main(int count, char **arguments) {
  if (count != 2) return 64;
  av_log_set_level(AV_LOG_QUIET);
  AVFormatContext *format = NULL;
  if (avformat_open_input(&format, arguments[1], NULL, NULL) < 0 || avformat_find_stream_info(format, NULL) < 0) {
    printf("{\"opened\": false}\n");
    return 0;
  }
  Track tracks[2] = {{.index = -1}, {.index = -1}};
  const enum AVMediaType kinds[2] = {AVMEDIA_TYPE_VIDEO, AVMEDIA_TYPE_AUDIO};
  for (int i = 0; i < 2; i++) {
    const AVCodec *decoder = NULL;
    tracks[i].index = av_find_best_stream(format, kinds[i], -1, -1, &decoder, 0);
    if (tracks[i].index < 0 || !decoder) continue;
    AVCodecContext *codec = avcodec_alloc_context3(decoder);
    avcodec_parameters_to_context(codec, format->streams[tracks[i].index]->codecpar);
    codec->pkt_timebase = format->streams[tracks[i].index]->time_base;
    codec->thread_count = 1;
    if (avcodec_open2(codec, decoder, NULL) >= 0) tracks[i].codec = codec; else avcodec_free_context(&codec);
  }
  AVPacket *packet = av_packet_alloc();
  AVFrame *frame = av_frame_alloc();
  int end;
  while ((end = av_read_frame(format, packet)) >= 0) {
    for (int i = 0; i < 2; i++) {
      if (!tracks[i].codec || packet->stream_index != tracks[i].index) continue;
      tracks[i].packets++;
      if (packet->flags & AV_PKT_FLAG_CORRUPT) tracks[i].corrupt++;
      if (avcodec_send_packet(tracks[i].codec, packet) < 0) tracks[i].refused++;
      take(&tracks[i], frame);
    }
    av_packet_unref(packet);
  }
  for (int i = 0; i < 2; i++) {
    if (!tracks[i].codec) continue;
    avcodec_send_packet(tracks[i].codec, NULL);
    take(&tracks[i], frame);
  }
  printf("{\"opened\": true, \"ended\": %s", end == AVERROR_EOF ? "true" : "false");
  print("video", &tracks[0]);
  print("audio", &tracks[1]);
  printf("}\n");
  return 0;
}
