/* A PKCS#11 library that is initialised and nothing else; it notes what it was promised. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long rv;
struct how { void *create, *destroy, *lock, *unlock; unsigned long flags; void *reserved; };
struct functions { unsigned char major, minor; void *all[68]; };

static int initialised;

static void note(const char *word, unsigned long flags) {
    FILE *file = fopen(getenv("PKCS11_MOCK_NOTES"), "a");
    if (file) {
        fprintf(file, "%s %lu\n", word, flags);
        fclose(file);
    }
}

static rv begin(struct how *how) {
    if (initialised)
        return 0x191;
    if (getenv("PKCS11_MOCK_NO_LOCKS"))
        return 0xA;
    note("begin", how ? how->flags : 0);
    initialised = 1;
    return 0;
}

static rv end(void *reserved) {
    (void)reserved;
    if (!initialised)
        return 0x190;
    note("end", 0);
    initialised = 0;
    return 0;
}

static rv info(unsigned char *info) {
    memset(info, ' ', 88);
    info[0] = 2;
    return 0;
}

rv C_GetFunctionList(struct functions **list) {
    static struct functions found = {2, 40, {0}};
    found.all[0] = (void *)begin;
    found.all[1] = (void *)end;
    found.all[2] = (void *)info;
    *list = &found;
    return 0;
}
