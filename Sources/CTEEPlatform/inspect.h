/* Internal to CTEEPlatform: looking at the enclave while it starts. */
#ifndef CLOISTER_INSPECT_H
#define CLOISTER_INSPECT_H

/* The image that is looked for from now on. 0, or -1 with errno. */
int cloister_inspect_image(int fd);
/* Opens the view of a process that has just executed the image, for this and `cloister_tee_inspect`. 0, or -1 with errno. */
int cloister_inspect_view(int pid);
void cloister_inspect_unview(void);
/* Whether no page of code was written to, while code still lies in private pages. 0, or -1 with `reason`. */
int cloister_inspect_unwritten(char *reason);

#endif
