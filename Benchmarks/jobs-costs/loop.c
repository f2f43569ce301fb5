// The loop that a C programmer would write: the same statements, bindings and transactions as `jobs-costs loop`, prepared once.
//
//     loop DATABASE N power|crash STATEMENTS
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static sqlite3 *database;

static void check(int result, const char *what) {
  if (result == SQLITE_OK || result == SQLITE_DONE || result == SQLITE_ROW) return;
  fprintf(stderr, "loop: %s: %s\n", what, sqlite3_errmsg(database));
  exit(70);
}

static void run(const char *sql) { check(sqlite3_exec(database, sql, NULL, NULL, NULL), sql); }

static sqlite3_stmt *prepare(const char *folder, const char *name) {
  char path[4096], text[8192];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "r");
  if (!file) exit(66);
  text[fread(text, 1, sizeof text - 1, file)] = 0;
  fclose(file);
  sqlite3_stmt *statement;
  check(sqlite3_prepare_v3(database, text, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL), name);
  return statement;
}

// The index of parameter $number: SQLite numbers names by first appearance.
static int at(sqlite3_stmt *statement, int number) {
  char name[8];
  snprintf(name, sizeof name, "$%d", number);
  return sqlite3_bind_parameter_index(statement, name);
}

static void integer(sqlite3_stmt *s, int n, sqlite3_int64 value) { check(sqlite3_bind_int64(s, at(s, n), value), "bind"); }
static void real(sqlite3_stmt *s, int n, double value) { check(sqlite3_bind_double(s, at(s, n), value), "bind"); }
static void text(sqlite3_stmt *s, int n, const char *value) { check(sqlite3_bind_text(s, at(s, n), value, -1, SQLITE_STATIC), "bind"); }

static double seconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

static sqlite3_int64 now(void) {
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  return time.tv_sec * 1000000LL + time.tv_nsec / 1000;
}

int main(int count, char **arguments) {
  if (count != 5) return 64;
  int jobs = atoi(arguments[2]);
  int safe = strcmp(arguments[3], "power") == 0;
  check(sqlite3_open_v2(arguments[1], &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL), "open");
  run("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA cache_size = -2048;"
      "PRAGMA wal_autocheckpoint = 1000; PRAGMA journal_size_limit = 16777216; PRAGMA temp_store = MEMORY; PRAGMA secure_delete = ON");
  const char *full = safe ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL";
  sqlite3_stmt *insert = prepare(arguments[4], "insert"), *claim = prepare(arguments[4], "claim");
  sqlite3_stmt *complete = prepare(arguments[4], "complete"), *dependents = prepare(arguments[4], "dependents");

  double start = seconds();
  run(full);
  for (int batch = 0; batch < jobs / 100; batch++) {
    run("BEGIN IMMEDIATE");
    for (int index = 0; index < 100; index++) {
      text(insert, 1, "nothing");
      check(sqlite3_bind_blob(insert, at(insert, 2), "{}", 2, SQLITE_STATIC), "bind");
      text(insert, 4, "default");
      for (int n = 5; n <= 7; n++) text(insert, n, "");
      integer(insert, 8, 0);
      text(insert, 9, "cpu");
      integer(insert, 10, 0);
      real(insert, 13, 21600);
      integer(insert, 14, 3);
      real(insert, 15, 1);
      real(insert, 16, 300);
      integer(insert, 17, 3);
      integer(insert, 18, 0);
      integer(insert, 19, now());
      integer(insert, 20, 0);
      integer(insert, 21, now());
      while (sqlite3_step(insert) == SQLITE_ROW) {}
      check(sqlite3_reset(insert), "insert");
    }
    run("COMMIT");
  }
  double queued = seconds();
  for (int done = 0; done < jobs;) {
    sqlite3_int64 ids[8], tokens[8];
    int claimed = 0;
    if (safe) run("PRAGMA synchronous = NORMAL");
    run("BEGIN IMMEDIATE");
    integer(claim, 1, 1);
    integer(claim, 2, now());
    text(claim, 3, "cpu");
    integer(claim, 4, 8);
    text(claim, 5, "nothing");
    while (sqlite3_step(claim) == SQLITE_ROW) {
      ids[claimed] = sqlite3_column_int64(claim, 0);
      tokens[claimed++] = sqlite3_column_int64(claim, 36);
    }
    check(sqlite3_reset(claim), "claim");
    run("COMMIT");
    if (claimed == 0) return 70;
    if (safe) run(full);
    for (int index = 0; index < claimed; index++) {
      run("BEGIN IMMEDIATE");
      integer(complete, 1, ids[index]);
      integer(complete, 2, 1);
      integer(complete, 3, tokens[index]);
      integer(complete, 4, now());
      check(sqlite3_bind_zeroblob(complete, at(complete, 5), 0), "bind");
      while (sqlite3_step(complete) == SQLITE_ROW) {}
      check(sqlite3_reset(complete), "complete");
      integer(dependents, 1, ids[index]);
      while (sqlite3_step(dependents) == SQLITE_ROW) {}
      check(sqlite3_reset(dependents), "dependents");
      run("COMMIT");
    }
    done += claimed;
  }
  printf("{\"enqueue\":%f,\"run\":%f}\n", queued - start, seconds() - queued);
  return 0;
}
