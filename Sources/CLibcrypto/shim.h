/* SHA-256's own functions are deprecated since OpenSSL 3.0 for the general ones (`EVP_Digest…`), which take half as
   long again for what the log hashes. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
