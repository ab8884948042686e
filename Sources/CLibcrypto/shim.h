/* SHA-256's own functions are deprecated since OpenSSL 3.0 for the general ones (`EVP_Digest…`), which take 45 ns
   more for a hash: as long as an entry's own hash takes. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
