// OpenFGA with a key for each store: one server for all applications, none of which reaches another's store.
//
//	openfga serve HOME GRPC-PORT HTTP-PORT   serve; data, keys and a control socket are in the folder HOME
//	openfga apply HOME                       read the keys again, make stores that are missing, print their ids (JSON)
//	openfga ready GRPC-PORT                  exit with 0 when the server answers
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
)

const patience = 10 * time.Second

func main() {
	err := errors.New("usage: openfga serve HOME GRPC-PORT HTTP-PORT | apply HOME | ready GRPC-PORT")
	switch arguments := os.Args[1:]; {
	case len(arguments) == 4 && arguments[0] == "serve":
		err = run(arguments[1], arguments[2], arguments[3])
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

func run(home, grpcPort, httpPort string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	engine, err := open(ctx, home)
	if err != nil {
		return err
	}
	defer engine.close()
	if err = engine.stores.load(ctx); err != nil {
		return err
	}
	control, err := listenControl(home)
	if err != nil {
		return err
	}
	defer control.Close()
	go engine.stores.obey(ctx, control)
	return engine.listen(ctx, ":"+grpcPort, ":"+httpPort)
}

func listenControl(home string) (net.Listener, error) {
	path := filepath.Join(home, "control")
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err // a killed server's
	}
	return net.Listen("unix", path)
}

// apply has the server read its keys, and prints the stores' ids by name.
func apply(home string) error {
	connection, err := net.DialTimeout("unix", filepath.Join(home, "control"), patience)
	if err != nil {
		return err
	}
	defer connection.Close()
	if err = connection.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	answer, err := io.ReadAll(connection)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(string(answer), "{") {
		return fmt.Errorf("the server says: %s", answer)
	}
	_, err = fmt.Println(string(answer))
	return err
}

// ready asks the server for its health, which takes no key.
func ready(port string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	connection, err := grpc.NewClient("127.0.0.1:"+port, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	answer, err := grpc_health_v1.NewHealthClient(connection).Check(ctx, &grpc_health_v1.HealthCheckRequest{})
	if err == nil && answer.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING {
		err = errors.New("not serving")
	}
	return err
}
