// Package requestid gives every request an identifier: one thread through the logs of proxy and application.
package requestid

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
)

const header = "X-Request-Id"

// Config has no settings.
type Config struct{}

// CreateConfig returns the settings' defaults.
func CreateConfig() *Config { return &Config{} }

// New returns the middleware: the client's identifier is kept, a missing one is made.
func New(_ context.Context, next http.Handler, _ *Config, _ string) (http.Handler, error) {
	return http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		identifier := request.Header.Get(header)
		if identifier == "" {
			var random [16]byte
			_, _ = rand.Read(random[:])
			identifier = hex.EncodeToString(random[:])
			request.Header.Set(header, identifier)
		}
		response.Header().Set(header, identifier)
		next.ServeHTTP(response, request)
	}), nil
}
