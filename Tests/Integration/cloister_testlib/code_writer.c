/*
 * An attacker with root: writes into the code of every child of process argv[1] as soon as it is there, for argv[2] seconds: what
 * is there already, at address argv[3]. (Other bytes would more often end the enclave than not; whoever can write these can write
 * those.) Prints how many writes succeeded, of how many.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

int main(int count, char **arguments) {
    if (count != 4) return 2;
    char path[64];
    const char *platform = arguments[1];
    double seconds = atof(arguments[2]);
    off_t address = (off_t)strtoul(arguments[3], NULL, 16);
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    snprintf(path, sizeof path, "/proc/%s/task/%s/children", platform, platform);
    int children = open(path, O_RDONLY);
    unsigned long written = 0, tried = 0;
    do {
        char text[256] = {0};
        if (pread(children, text, sizeof text - 1, 0) > 0) {
            int child = atoi(text);
            char exe[64], target[64] = {0};
            snprintf(exe, sizeof exe, "/proc/%d/exe", child);
            snprintf(path, sizeof path, "/proc/%d/mem", child);
            int memory = child > 0 && readlink(exe, target, sizeof target - 1) > 8 && target[1] == 'm' ? open(path, O_RDWR) : -1;
            for (int i = 0; memory >= 0 && i < 50; i++) {
                tried++;
                char same[4];
                if (pread(memory, same, 4, address) == 4 && pwrite(memory, same, 4, address) == 4) written++;
            }
            if (memory >= 0) close(memory);
        }
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((double)(now.tv_sec - start.tv_sec) + (double)(now.tv_nsec - start.tv_nsec) / 1e9 < seconds);
    printf("%lu %lu\n", written, tried);
    return 0;
}
