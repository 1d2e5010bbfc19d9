// FerretDB with users who have rights: one server for all applications, none of which reaches another's data.
//
//	ferretdb serve HOME PORT   serve; data and a control socket in the folder HOME
//	ferretdb apply HOME        read the users that there should be from standard input (JSON), and put them in force
//	ferretdb ready PORT        exit with 0 when the server answers
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/FerretDB/FerretDB/build/version"
	"github.com/FerretDB/FerretDB/internal/backends/sqlite"
	"github.com/FerretDB/FerretDB/internal/clientconn"
	"github.com/FerretDB/FerretDB/internal/clientconn/connmetrics"
	"github.com/FerretDB/FerretDB/internal/handler"
	"github.com/FerretDB/FerretDB/internal/util/state"
	"github.com/FerretDB/wire/wireclient"
)

const (
	release   = "v1.24.2"
	batchSize = 100
	patience  = 10 * time.Second
)

func main() {
	err := errors.New("usage: ferretdb serve HOME PORT | apply HOME | ready PORT")
	switch arguments := os.Args[1:]; {
	case len(arguments) == 3 && arguments[0] == "serve":
		err = serve(arguments[1], arguments[2])
	case len(arguments) == 2 && arguments[0] == "apply":
		err = apply(arguments[1])
	case len(arguments) == 2 && arguments[0] == "ready":
		err = ready(arguments[1])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serve runs the server until it is told to stop.
func serve(home, port string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()

	version.Get().Version, version.Get().Package = release, "embedded"
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	provider, err := state.NewProvider("")
	if err != nil {
		return err
	}
	// Nothing is reported to anybody; said so that clients see no notice about it.
	err = provider.Update(func(s *state.State) {
		s.DisableTelemetry()
		s.TelemetryLocked = true
	})
	if err != nil {
		return err
	}
	data := filepath.Join(home, "data")
	if err = os.MkdirAll(data, 0o700); err != nil {
		return err
	}
	backend, err := sqlite.NewBackend(&sqlite.NewBackendParams{
		// Synchronous enough that a killed server loses nothing; a crash of the whole machine may cost the last writes.
		URI: "file:" + data + "/?_pragma=synchronous(normal)", L: logger, P: provider, BatchSize: batchSize,
	})
	if err != nil {
		return err
	}
	defer backend.Close()
	metrics := connmetrics.NewListenerMetrics()
	h, err := handler.New(&handler.NewOpts{
		Backend:               backend,
		TCPHost:               ":" + port,
		L:                     logger,
		ConnMetrics:           metrics.ConnMetrics,
		StateProvider:         provider,
		CappedCleanupInterval: time.Minute,
		EnableNewAuth:         true,
		BatchSize:             batchSize,
	})
	if err != nil {
		return err
	}
	users := &accounts{backend: backend}
	if err = users.load(ctx); err != nil {
		return err
	}
	// The map's commands are what connections look up: those of a user with few rights go by way of us.
	for name, command := range h.Commands() {
		command.Handler = users.guarded(name, command.Handler)
	}
	listener, err := clientconn.Listen(&clientconn.NewListenerOpts{
		TCP: ":" + port, Mode: clientconn.NormalMode, Metrics: metrics, Handler: h, Logger: logger,
	})
	if err != nil {
		return err
	}
	control, err := listenControl(home)
	if err != nil {
		return err
	}
	defer control.Close()
	go users.obey(ctx, control)
	listener.Run(ctx)
	return nil
}

func listenControl(home string) (net.Listener, error) {
	path := filepath.Join(home, "control")
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err // a killed server's
	}
	return net.Listen("unix", path)
}

// apply hands standard input to the server, and waits until it is in force.
func apply(home string) error {
	connection, err := net.DialTimeout("unix", filepath.Join(home, "control"), patience)
	if err != nil {
		return err
	}
	defer connection.Close()
	if err = connection.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err = io.Copy(connection, os.Stdin); err != nil {
		return err
	}
	if err = connection.(*net.UnixConn).CloseWrite(); err != nil {
		return err
	}
	answer, err := io.ReadAll(connection)
	if err != nil {
		return err
	}
	if string(answer) != "ok" {
		return fmt.Errorf("the server says: %s", answer)
	}
	return nil
}

// ready asks the server as a driver does before it logs in.
func ready(port string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	connection, err := wireclient.Connect(ctx, "mongodb://127.0.0.1:"+port+"/", slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer connection.Close()
	return connection.Ping(ctx)
}
