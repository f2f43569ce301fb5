#include "CCurlShims.h"

#include <errno.h>
#include <stdio.h>

CURLcode reel_curl_set_long(CURL *handle, CURLoption option, long value) { return curl_easy_setopt(handle, option, value); }
CURLcode reel_curl_set_text(CURL *handle, CURLoption option, const char *value) { return curl_easy_setopt(handle, option, value); }
CURLcode reel_curl_set_offset(CURL *handle, CURLoption option, curl_off_t value) { return curl_easy_setopt(handle, option, value); }
CURLcode reel_curl_set_list(CURL *handle, CURLoption option, struct curl_slist *value) { return curl_easy_setopt(handle, option, value); }
CURLcode reel_curl_set_bytes(CURL *handle, CURLoption option, const void *value) { return curl_easy_setopt(handle, option, value); }

long reel_curl_status(CURL *handle) {
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

static size_t on_receive(char *bytes, size_t size, size_t count, void *data) {
  struct reel_curl_callbacks *callbacks = data;
  return callbacks->receive(callbacks->owner, bytes, size * count);
}

static size_t on_header(char *bytes, size_t size, size_t count, void *data) {
  struct reel_curl_callbacks *callbacks = data;
  callbacks->header(callbacks->owner, bytes, size * count);
  return size * count;
}

static size_t on_send(char *bytes, size_t size, size_t count, void *data) {
  struct reel_curl_callbacks *callbacks = data;
  ssize_t filled = callbacks->send(callbacks->owner, bytes, size * count);
  return filled < 0 ? CURL_READFUNC_ABORT : (size_t)filled;
}

static int on_seek(void *data, curl_off_t offset, int origin) {
  struct reel_curl_callbacks *callbacks = data;
  if (offset != 0 || origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
  return callbacks->rewind(callbacks->owner) ? CURL_SEEKFUNC_FAIL : CURL_SEEKFUNC_OK;
}

static int on_progress(void *data, curl_off_t total, curl_off_t now, curl_off_t upload_total, curl_off_t upload_now) {
  struct reel_curl_callbacks *callbacks = data;
  return callbacks->cancelled(callbacks->owner);
}

// The address is judged here, when it is about to be used: a name that resolves differently a second time gains nothing.
static curl_socket_t on_open_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address) {
  struct reel_curl_callbacks *callbacks = data;
  if (purpose != CURLSOCKTYPE_IPCXN || !callbacks->allowed(callbacks->owner, &address->addr)) {
    errno = EACCES;
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

void reel_curl_install(CURL *handle, struct reel_curl_callbacks *callbacks) {
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, on_receive);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, callbacks);
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(handle, CURLOPT_HEADERDATA, callbacks);
  curl_easy_setopt(handle, CURLOPT_READFUNCTION, on_send);
  curl_easy_setopt(handle, CURLOPT_READDATA, callbacks);
  curl_easy_setopt(handle, CURLOPT_SEEKFUNCTION, on_seek);
  curl_easy_setopt(handle, CURLOPT_SEEKDATA, callbacks);
  curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(handle, CURLOPT_XFERINFODATA, callbacks);
  curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
  curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, callbacks);
}
