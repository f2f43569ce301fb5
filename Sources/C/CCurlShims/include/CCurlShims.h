// What Swift cannot call in libcurl: the variadic option setters, and callbacks that take them.
#ifndef REELWRIGHT_CCURLSHIMS_H
#define REELWRIGHT_CCURLSHIMS_H

#include <curl/curl.h>
#include <sys/socket.h>
#include <sys/types.h>

CURLcode reel_curl_set_long(CURL *handle, CURLoption option, long value);
CURLcode reel_curl_set_text(CURL *handle, CURLoption option, const char *value);
CURLcode reel_curl_set_offset(CURL *handle, CURLoption option, curl_off_t value);
CURLcode reel_curl_set_list(CURL *handle, CURLoption option, struct curl_slist *value);
CURLcode reel_curl_set_bytes(CURL *handle, CURLoption option, const void *value);

long reel_curl_status(CURL *handle);

/// How a transfer talks to its owner. `owner` is handed to each function; it must outlive the transfer.
struct reel_curl_callbacks {
  void *owner;
  /// Bytes of the body; a number other than `count` ends the transfer.
  size_t (*receive)(void *owner, const void *bytes, size_t count);
  /// One header line with its line end.
  void (*header)(void *owner, const char *bytes, size_t count);
  /// Fills up to `count` bytes of the request body; 0 is the end, negative ends the transfer.
  ssize_t (*send)(void *owner, void *bytes, size_t count);
  /// Positions the request body at its start again; nonzero when it cannot.
  int (*rewind)(void *owner);
  /// Nonzero ends the transfer.
  int (*cancelled)(void *owner);
  /// Whether a connection to this address may be opened: zero refuses it.
  int (*allowed)(void *owner, const struct sockaddr *address);
};

/// Installs `callbacks` on the handle; the struct must outlive the transfer.
void reel_curl_install(CURL *handle, struct reel_curl_callbacks *callbacks);

#endif
