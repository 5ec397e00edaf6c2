/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into novad by 61_recovery.py: ends the process with SIGKILL at an exact place of an operation, which the journal tells, since each
 * step is written there before it begins. novad itself knows nothing of this.
 *
 * The file named by KILL_AT_ORDER holds "METHOD PHASE STEP WHEN". WHEN is "before" (the step is in the journal and nothing of it was done),
 * "after" (all of it was done, and what follows is not in the journal yet) or a number of milliseconds after its begin.
 * STEP "-" is none: with PHASE "queued" the request was accepted and has not begun ("before": nor is it acknowledged). The order is
 * removed before it is obeyed, so that the next run is not killed at the same place.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    char method[64], phase[16], step[64], when[16];
} Order;

static bool read_file(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "re");
    size_t length;

    if (file == NULL)
        return false;
    length = fread(text, 1, size - 1, file);
    fclose(file);
    text[length] = '\0';
    return true;
}

static bool has_member(const char *json, const char *name, const char *value)
{
    char text[128];

    if (strcmp(value, "-") == 0)
        snprintf(text, sizeof(text), "\"%s\":null", name);
    else
        snprintf(text, sizeof(text), "\"%s\":\"%s\"", name, value);
    return strstr(json, text) != NULL;
}

/* True if the journal entry at `path` is where the order wants it. */
static bool reached(const char *path, Order *order)
{
    static const char folder[] = "/novad/journal/";
    const char *orders = getenv("KILL_AT_ORDER");
    char json[65536], line[256];

    return orders != NULL && strstr(path, folder) != NULL && read_file(orders, line, sizeof(line)) &&
           sscanf(line, "%63s %15s %63s %15s", order->method, order->phase, order->step, order->when) == 4 &&
           read_file(path, json, sizeof(json)) && has_member(json, "method", order->method) && has_member(json, "phase", order->phase) &&
           has_member(json, "step", order->step);
}

static void end(void)
{
    kill(getpid(), SIGKILL);
    pause();
}

static void *end_later(void *data)
{
    usleep((useconds_t)(size_t)data * 1000);
    end();
    return NULL;
}

static void obey(const Order *order, bool begins)
{
    bool timed = strspn(order->when, "0123456789") == strlen(order->when);
    pthread_t thread;

    if (begins ? strcmp(order->when, "before") != 0 && !timed : strcmp(order->when, "after") != 0)
        return;
    unlink(getenv("KILL_AT_ORDER"));
    if (timed)
        pthread_create(&thread, NULL, end_later, (void *)strtoul(order->when, NULL, 10));
    else
        end();
}

int rename(const char *from, const char *to)
{
    int (*real)(const char *, const char *) = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename");
    Order order;
    int result;

    if (reached(to, &order) && !reached(from, &order))
        obey(&order, false);
    result = real(from, to);
    if (result == 0 && reached(to, &order))
        obey(&order, true);
    return result;
}

int unlink(const char *path)
{
    int (*real)(const char *) = (int (*)(const char *))dlsym(RTLD_NEXT, "unlink");
    Order order;

    if (strstr(path, "/novad/journal/") != NULL && reached(path, &order))
        obey(&order, false);
    return real(path);
}
